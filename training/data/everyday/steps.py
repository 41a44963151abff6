"""Lists and numbered steps: recipes and manuals."""

from training.data.everyday import values, words
from training.data.everyday.page import Page, pick, several


def _numbered(number: int, style: int) -> str:
    return (f"{number}. ", f"{number}) ", f"Step {number}: ", "- ", "")[style]


def recipe(random) -> Page:
    """A recipe: ingredients, then steps."""
    page, dish = Page(), pick(words.DISHES, random)
    foods = several(words.FOODS, 5, random)
    counted = several(words.COUNTED, 3, random)
    head = pick(("{serves}", "Serves {serves}.", "For {serves} people:"), random)
    page.add(
        f"{dish.capitalize()}. {head}" if head != "{serves}" else f"{dish.capitalize()}, serves {head}",
        {"serves": str(random.integers(2, 9))},
    )
    page.ask("serves", "How many people does it serve?", f"How many people is the {dish} for?", "How many servings?")
    rows = []
    for number, food in enumerate(foods[:3]):
        rows.append(
            (
                pick((f"{{food{number}}} {food}", f"{food}: {{food{number}}}", f"{{food{number}}} of {food}"), random),
                {f"food{number}": values.weight(random)},
            )
        )
        page.ask(f"food{number}", f"How much {food} do I need?", f"How much {food} goes in?", f"Amount of {food}?")
    for number, thing in enumerate(counted[:2]):
        rows.append((f"{{count{number}}} {thing}", {f"count{number}": str(random.integers(2, 9))}))
        page.ask(f"count{number}", f"How many {thing} do I need?", f"How many {thing} are used?")
    mark, end = pick((("- ", "\n"), ("", "\n"), ("", ", "), ("* ", "\n")), random)
    for row in several(rows, len(rows), random):
        page.add(mark + row[0], row[1], end)
    page.ask_unanswerable(
        f"How much {foods[3]} do I need?", f"How many {counted[2]} do I need?", "Who wrote the recipe?"
    )
    page.add("", {})
    style = pick((0, 0, 1, 2, 4), random)
    lines = [
        ("Heat the oven to {heat}.", {"heat": values.heat(random)}),
        (f"Mix the {foods[0]} and the {foods[1]} for {{mix}}.", {"mix": values.duration(random)}),
        (f"Add the {counted[0]} and let it rest for {{rest}}.", {"rest": values.duration(random)}),
        ("Bake for {bake}.", {"bake": values.duration(random)}),
        ("Top with {top} and serve {how}.", {"top": foods[4], "how": pick(("warm", "cold", "at once"), random)}),
    ]
    for number, (template, filled) in enumerate(lines, start=1):
        page.add(_numbered(number, style) + template, filled)
    page.ask(
        "heat",
        "How hot should the oven be?",
        "What temperature is the oven set to?",
        "At what temperature do I bake it?",
    )
    page.ask("mix", f"How long do I mix the {foods[0]} and the {foods[1]}?", "How long should it be mixed?")
    page.ask("rest", "How long does it rest?", "For how long should it rest?")
    page.ask("bake", "How long does it bake?", "For how long is it in the oven?", "What is the baking time?")
    page.ask("top", "What goes on top?", "What is it topped with?")
    page.ask("how", "How is it served?")
    return page


def manual(random) -> Page:
    """Instructions for setting up a device, in numbered steps."""
    page, device = Page(), pick(words.DEVICES, random)
    one, other, third = several(words.BUTTONS, 3, random)
    first, second, warn = several(words.COLORS, 3, random)
    page.add(
        pick(
            (f"Setting up your {device}", f"{device.capitalize()}: quick start", f"How to reset the {device}"), random
        ),
        {},
    )
    style = pick((0, 0, 1, 2), random)
    lines = [
        (
            "Plug in the {cable} and wait {wait}.",
            {"cable": pick(("cable", "adapter", "charger", "supplied lead"), random), "wait": values.duration(random)},
        ),
        (
            f"Hold the {one} button for {{hold}} until the light turns {{light}}.",
            {"hold": values.duration(random), "light": first},
        ),
        (
            f"Press the {other} button {{times}} to choose the {{choose}}.",
            {
                "times": pick(("twice", "once", "three times"), random),
                "choose": pick(("language", "network", "time zone", "channel", "program"), random),
            },
        ),
        (
            "If the light blinks {error}, {fix}.",
            {
                "error": warn,
                "fix": pick(("empty the tray", "check the cable", "replace the battery", "clean the filter"), random),
            },
        ),
        ("When it stays {done}, the {device} is ready.", {"done": second, "device": device}),
        (
            "The code on the back is {code}; the battery lasts {battery}.",
            {"code": f"{random.integers(1000, 9999)}", "battery": values.duration(random)},
        ),
    ]
    for number, (template, filled) in enumerate(lines, start=1):
        page.add(_numbered(number, style) + template, filled)
    page.ask("wait", "How long do I wait after plugging it in?")
    page.ask("cable", "What do I plug in?")
    page.ask("hold", f"How long do I hold the {one} button?", f"For how long must the {one} button be held?")
    page.ask("light", f"What color does the light turn when I hold the {one} button?")
    page.ask("times", f"How many times do I press the {other} button?", f"How often is the {other} button pressed?")
    page.ask("choose", f"What does the {other} button choose?", f"What is the {other} button for?")
    page.ask("fix", f"What should I do if the light blinks {warn}?", f"The light is blinking {warn}. What now?")
    page.ask("error", "What color does the light blink if something is wrong?")
    page.ask("done", "What color is the light when it is ready?", f"Which color means that the {device} is ready?")
    page.ask("code", "What is the code?", "What number is on the back?")
    page.ask("battery", "How long does the battery last?")
    page.ask_unanswerable(
        f"What does the {third} button do?", f"How much does the {device} cost?", "How long is the warranty?"
    )
    return page
