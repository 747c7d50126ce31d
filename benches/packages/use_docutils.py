# pip install docutils
from docutils.core import publish_parts, publish_string

TEXT = """
Title
=====

Some *emphasis*, **strong** and ``code``. See `Python <https://python.org>`_.

* one
* two

  1. nested

.. note:: Watch out.

+---+---+
| a | b |
+---+---+

.. code-block:: python

   def f(): return 1
"""
parts = publish_parts(TEXT, writer="html5", settings_overrides={"report_level": 5})
print(parts["html_title"], parts["fragment"])
print(publish_string(TEXT, writer="pseudoxml", settings_overrides={"report_level": 5}).decode())
