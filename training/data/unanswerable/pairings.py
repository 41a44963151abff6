"""Questions paired with a paragraph that doesn't answer them, which teach "no answer" from SQuAD v1.1.

Paragraphs from other articles only teach to recognize another topic. Paragraphs from the same article that don't
contain the answer are closer to v2.0's unanswerable questions: they are on topic but don't answer the question.
"""

from collections.abc import Callable, Sequence

from training.data.squad import Question, Squad
from training.errors import TrainingError

# Number of draws from the same article before falling back to another article.
TRIES = 20


class Mismatches:
    """Draws mismatched questions or paragraphs; a fraction `near` of them from the same article."""

    def __init__(self, data: Squad, questions: Sequence[int], near: float):
        """`questions`: indices of the questions that may be drawn."""
        if len(set(data.articles)) < 2:
            raise TrainingError("mismatched questions require a file with at least two articles")
        self.data, self.questions, self.near = data, questions, near
        self.paragraphs_of: dict[int, list[int]] = {}
        for paragraph, article in enumerate(data.articles):
            self.paragraphs_of.setdefault(article, []).append(paragraph)
        self.questions_of: dict[int, list[int]] = {}
        for question in questions:
            self.questions_of.setdefault(self._article(data.questions[question]), []).append(question)
        if len(self.questions_of) < 2:
            raise TrainingError("mismatched questions require questions from at least two articles; increase 'limit'")

    def paragraph_for(self, question: Question, random) -> int:
        """A paragraph that does not answer `question`."""
        return self._draw(
            self._article(question),
            lambda article: self.paragraphs_of[article],
            range(len(self.data.paragraphs)),
            lambda paragraph: self.data.articles[paragraph],
            lambda paragraph: self._does_not_answer(paragraph, question),
            random,
        )

    def question_for(self, paragraph: int, random) -> int:
        """A question that `paragraph` does not answer."""
        return self._draw(
            self.data.articles[paragraph],
            lambda article: self.questions_of.get(article, []),
            self.questions,
            lambda question: self._article(self.data.questions[question]),
            lambda question: self._does_not_answer(paragraph, self.data.questions[question]),
            random,
        )

    def _article(self, question: Question) -> int:
        return self.data.articles[question.paragraph]

    def _does_not_answer(self, paragraph: int, question: Question) -> bool:
        return paragraph != question.paragraph and not contains_answer(self.data, paragraph, question)

    def _draw(
        self,
        article: int,
        of_article: Callable[[int], Sequence[int]],
        candidates: Sequence[int],
        article_of: Callable[[int], int],
        does_not_answer: Callable[[int], bool],
        random,
    ) -> int:
        nearby = of_article(article)
        if self.near and nearby and random.random() < self.near:
            for _ in range(TRIES):
                drawn = nearby[random.integers(len(nearby))]
                if does_not_answer(drawn):
                    return drawn
        while True:
            drawn = candidates[random.integers(len(candidates))]
            if article_of(drawn) != article:
                return drawn


class Neighbors:
    """Draws questions about the previous or next paragraph of the same article."""

    def __init__(self, data: Squad, questions: Sequence[int]):
        """`questions`: indices of the questions that may be drawn."""
        self.data = data
        self.questions_of: dict[int, list[int]] = {}
        for question in sorted(set(questions)):
            self.questions_of.setdefault(data.questions[question].paragraph, []).append(question)

    def paragraph_for(self, question: Question, random) -> int | None:
        """The previous or next paragraph, if it does not contain the answer; None if both do."""
        before, after = question.paragraph - 1, question.paragraph + 1
        for paragraph in (before, after) if random.random() < 0.5 else (after, before):
            if self._same_article(paragraph, question.paragraph) and not contains_answer(
                self.data, paragraph, question
            ):
                return paragraph
        return None

    def question_for(self, paragraph: int, random) -> int | None:
        """A question about the previous or next paragraph whose answer is not in `paragraph`; None if there is none."""
        numbers = [
            number
            for other in (paragraph - 1, paragraph + 1)
            if self._same_article(other, paragraph)
            for number in self.questions_of.get(other, [])
            if not contains_answer(self.data, paragraph, self.data.questions[number])
        ]
        return numbers[random.integers(len(numbers))] if numbers else None

    def _same_article(self, other: int, paragraph: int) -> bool:
        articles = self.data.articles
        return 0 <= other < len(articles) and articles[other] == articles[paragraph]


def contains_answer(data: Squad, paragraph: int, question: Question) -> bool:
    """Whether a paragraph contains the text of an answer, in any case."""
    text = data.paragraphs[paragraph].lower()
    return any(answer.lower() in text for _, answer in question.answers)
