# pip install textual
import asyncio

from textual.app import App
from textual.containers import Vertical
from textual.widgets import Button, Input, Label


class Counter(App):
    CSS = "Label { width: 20; }"
    BINDINGS = [("u", "up", "Up")]
    count = 0

    def compose(self):
        with Vertical():
            yield Label("0", id="n")
            yield Button("Add", id="add")
            yield Input(placeholder="name")

    def on_button_pressed(self, event):
        self.action_up()

    def action_up(self):
        self.count += 1
        self.query_one("#n", Label).update(str(self.count))


async def main():
    app = Counter()
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.click("#add")
        await pilot.press("u")
        print(app.count)
        await pilot.click(Input)
        await pilot.press("h", "i")
        print(app.query_one(Input).value, app.focused.__class__.__name__)


asyncio.run(main())
