# pip install feedparser
import feedparser

RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>T &amp; U</title><link>http://x.org</link>
<item><title>One</title><link>http://x.org/1</link><pubDate>Thu, 01 Jan 2004 19:48:21 GMT</pubDate>
<description>&lt;p&gt;hi &lt;script&gt;bad()&lt;/script&gt;&lt;/p&gt;</description></item></channel></rss>"""
feed = feedparser.parse(RSS)
print(feed.version, feed.feed.title, feed.bozo)
for entry in feed.entries:
    print(entry.title, entry.link, tuple(entry.published_parsed)[:6], entry.summary)
