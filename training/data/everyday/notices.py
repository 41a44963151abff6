"""Notices, contracts and short news, in which similar facts are next to each other."""

from training.data.everyday import values, words
from training.data.everyday.page import Page, pick, several


def opening(random) -> Page:
    """Opening hours and prices of a place."""
    page, place, street = Page(), pick(words.PLACES, random), pick(words.STREETS, random)
    first, last, closed = several(words.WEEKDAYS, 3, random)
    page.add(
        pick(
            ("The {place} is on {street}.", "You find the {place} on {street}.", "Visit the {place}, {street}."), random
        ),
        {"place": place, "street": street},
    )
    page.ask("street", f"Where is the {place}?", f"On which street is the {place}?")
    page.add(
        f"It opens at {{open}} and closes at {{close}}; on {first} it closes at {{other}}.",
        {
            "open": values.clock(random, 7, 11),
            "close": values.clock(random, 16, 20),
            "other": values.clock(random, 20, 23),
        },
        " ",
    )
    page.ask("open", "When does it open?", f"What time does the {place} open?")
    page.ask("close", "When does it usually close?", f"What time does the {place} close?")
    page.ask("other", f"When does it close on {first}?", f"How late is it open on {first}?")
    page.add("Closed on {closed}.", {"closed": closed})
    page.ask("closed", "On which day is it closed?", "When is it closed all day?")
    page.add(
        "Adults pay {adult} and children {child}; members pay {member}.",
        {"adult": values.money(random), "child": values.money(random), "member": values.money(random)},
    )
    page.ask("adult", "How much do adults pay?", "What is the price for an adult?")
    page.ask("child", "How much is it for a child?", "What do children pay?")
    page.ask("member", "How much do members pay?")
    page.add(
        "Questions? Call {phone} or ask {person} at the {desk}.",
        {
            "phone": values.phone(random),
            "person": pick(words.PEOPLE, random),
            "desk": pick(("front desk", "side entrance", "first floor office"), random),
        },
    )
    page.ask("phone", "What is the phone number?", "Which number can I call?")
    page.ask("person", "Who can I ask?", "Who answers questions?")
    page.ask_unanswerable(
        "When does it open on public holidays?",
        "How much do students pay?",
        "Is there parking?",
        "What is the email address?",
    )
    return page


def lease(random) -> Page:
    """A lease: rent, deposit, dates and rules of a flat."""
    page = Page()
    _add_parties(page, random)
    _add_payments(page, random)
    page.add(
        "Quiet hours are from {quiet} to {loud}. Notice period: {notice}.",
        {
            "quiet": values.clock(random, 20, 24),
            "loud": values.clock(random, 6, 9),
            "notice": pick(("two months", "30 days", "six weeks", "three months"), random),
        },
    )
    page.ask("quiet", "When do quiet hours begin?", "From what time must it be quiet?")
    page.ask("loud", "When do quiet hours end?")
    page.ask("notice", "How long is the notice period?", "How much notice must be given?")
    page.ask_unanswerable(
        "How many rooms does the flat have?",
        "How much is the fine for paying late?",
        "Who pays for repairs?",
        "On which floor is it?",
    )
    return page


def _add_parties(page: Page, random) -> None:
    owner, tenant = several(words.SURNAMES, 2, random)
    page.add(
        "{owner} (landlord) lets the flat at {number} {street} to {tenant} (tenant).",
        {
            "owner": owner,
            "tenant": tenant,
            "number": f"{random.integers(2, 99)}",
            "street": pick(words.STREETS, random),
        },
        " ",
    )
    page.ask("owner", "Who is the landlord?", "Who lets the flat?")
    page.ask("tenant", "Who is the tenant?", "Who rents the flat?")
    page.add(
        "The lease begins on {begin} and ends on {end}.",
        {"begin": values.date(random), "end": values.date(random)},
        " ",
    )
    page.ask("begin", "When does the lease begin?", "From when is the flat rented?")
    page.ask("end", "When does the lease end?", "Until when does the contract run?")


def _add_payments(page: Page, random) -> None:
    page.add(
        pick(
            (
                "Rent is {rent} per month, due on the {due}, plus {heat} for heating.",
                "The monthly rent of {rent} is payable by the {due}; heating costs {heat} extra.",
            ),
            random,
        ),
        {
            "rent": values.money(random, 500, 2400),
            "due": pick(("1st", "3rd", "5th", "15th"), random),
            "heat": values.money(random, 40, 180),
        },
        " ",
    )
    page.ask("rent", "How much is the rent?", "What does the flat cost per month?")
    page.ask("due", "When is the rent due?", "By which day must the rent be paid?")
    page.ask("heat", "How much is the heating?", "What does heating cost?")
    page.add(
        "A deposit of {deposit} is returned within {back} of moving out.",
        {"deposit": values.money(random, 800, 4000), "back": f"{pick((14, 21, 30, 60), random)} days"},
        " ",
    )
    page.ask("deposit", "How much is the deposit?", "How big is the deposit?")
    page.ask("back", "How soon is the deposit returned?", "When do I get the deposit back?")


def news(random) -> Page:
    """Two buildings in two towns, compared in single sentences, and the result of a match."""
    page = Page()
    (one, two, three), (here, there, elsewhere) = several(words.WORKS, 3, random), several(words.TOWNS, 3, random)
    works, towns = (one, two), (here, there)
    costs = {f"cost{i}": values.large_money(random) for i in range(2)}
    years = {f"year{i}": f"{random.integers(1950, 2030)}" for i in range(2)}
    page.add(
        pick(
            (
                f"The {one} in {here} cost {{cost0}}, the {two} in {there} {{cost1}}.",
                f"While the {one} in {here} cost {{cost0}}, {there} paid {{cost1}} for its {two}.",
            ),
            random,
        ),
        costs,
        " ",
    )
    page.add(
        pick(
            (
                f"The {one} opened in {{year0}}, the {two} in {{year1}}.",
                f"Opened in {{year0}} and {{year1}} respectively, the {one} and the {two} are used daily.",
            ),
            random,
        ),
        years,
        " ",
    )
    people = zip(several(words.PEOPLE, 2, random), several(words.SURNAMES, 2, random), strict=True)
    heads = {f"head{i}": f"{first} {last}" for i, (first, last) in enumerate(people)}
    page.add(f"{{head0}} planned the {one}; the {two} was designed by {{head1}}.", heads, " ")
    for i in range(2):
        page.ask(
            f"cost{i}", f"How much did the {works[i]} cost?", f"What was the price of the {works[i]} in {towns[i]}?"
        )
        page.ask(f"year{i}", f"When did the {works[i]} open?", f"In what year was the {works[i]} opened?")
        page.ask(f"head{i}", f"Who designed the {works[i]}?", f"Who planned the {works[i]}?")
    _add_match(page, random)
    page.ask_unanswerable(
        f"How much did the {three} cost?",
        f"Who is the mayor of {here}?",
        f"What happened in {elsewhere}?",
        "Who scored the first goal?",
    )
    return page


def _add_match(page: Page, random) -> None:
    winner, loser = several(words.TEAMS, 2, random)
    goals = sorted((int(g) for g in random.permutation(9)[:2]), reverse=True)
    page.add(
        "On {when} {won} beat {lost} {score} in front of {crowd} people.",
        {
            "when": pick(words.WEEKDAYS, random),
            "won": winner,
            "lost": loser,
            "score": f"{goals[0]}-{goals[1]}",
            "crowd": f"{random.integers(2, 60)},{random.integers(100, 999)}",
        },
    )
    page.ask("won", "Who won the match?", f"Who beat {loser}?", "Which team won?")
    page.ask("lost", "Who lost the match?", f"Who did {winner} beat?", "Which team lost?")
    page.ask("score", "What was the score?", "How did the match end?")
    page.ask("crowd", "How many people watched?", "How many people saw the match?")
    page.ask("when", "When was the match?", "On what day did they play?")
