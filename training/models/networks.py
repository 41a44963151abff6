"""Encoders with a task head, with the class and parameter names of `transformers`."""

import dataclasses

import torch
from torch import nn
from torch.nn import functional

from training.models.architecture import Architecture
from training.models.bert import Bert
from training.models.mobilebert import MobileBert
from training.models.modules import Output, activation, initialize


class Network(nn.Module):
    """An encoder, as an attribute named after its family, with a head on top."""

    reads_first = True  # whether the head reads the pooled first token

    def __init__(self, config: Architecture):
        super().__init__()
        self.config, self.base_model_prefix = config, config.model_type
        body = MobileBert if config.model_type == "mobilebert" else Bert
        setattr(self, self.base_model_prefix, body(config, self.reads_first))
        self.make_head(config)
        initialize(self, config)
        self.tie()

    @property
    def body(self) -> nn.Module:
        """The encoder."""
        return getattr(self, self.base_model_prefix)

    @property
    def architecture(self) -> str:
        """Return the name of this network under `architectures` in `config.json`."""
        return ("MobileBert" if self.config.model_type == "mobilebert" else "Bert") + type(self).__name__

    def tie(self) -> None:
        """Tie the tensors that the head shares with the encoder."""

    def make_head(self, config: Architecture) -> None:
        """Add the head's modules."""
        raise NotImplementedError

    def head(self, stream: torch.Tensor, pooled: torch.Tensor | None) -> dict[str, torch.Tensor]:
        """Return the logits by name, from the last hidden state and the pooled first token."""
        raise NotImplementedError

    def forward(self, input_ids: torch.Tensor, **options) -> Output:
        """Return the encoder's output with the head's logits; arguments are those of `Body.forward`."""
        out = self.body(input_ids, **options)
        return dataclasses.replace(out, **self.head(out.last_hidden_state, out.pooler_output))


class ForQuestionAnswering(Network):
    """Logits for the first and last token of an answer."""

    reads_first = False

    def make_head(self, config: Architecture) -> None:
        """Add a linear layer."""
        self.qa_outputs = nn.Linear(config.hidden_size, 2)

    def head(self, stream, pooled):
        """Return both as `[batch, sequence]`."""
        start, end = self.qa_outputs(stream).unbind(-1)
        return {"start_logits": start, "end_logits": end}


class ForSequenceClassification(Network):
    """Logits for labels, or a regression score."""

    def make_head(self, config: Architecture) -> None:
        """Add dropout and a linear layer."""
        dropout = config.classifier_dropout
        self.dropout = nn.Dropout(config.hidden_dropout_prob if dropout is None else dropout)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def head(self, stream, pooled):
        """Return `[batch, labels]`."""
        return {"logits": self.classifier(self.dropout(pooled))}


class ForPreTraining(Network):
    """Logits for masked words, and for whether the second text follows the first."""

    def make_head(self, config: Architecture) -> None:
        """Add the masked-word head and a linear layer."""
        self.cls = PreTrainingHeads(config)

    def tie(self) -> None:
        """Share the word embeddings."""
        words = self.cls.predictions
        if self.config.tie_word_embeddings:
            words.decoder.weight = self.body.embeddings.word_embeddings.weight
        words.decoder.bias = words.bias

    def head(self, stream, pooled):
        """Return `[batch, sequence, vocabulary]` and `[batch, 2]`."""
        return {
            "prediction_logits": self.cls.predictions(stream),
            "seq_relationship_logits": self.cls.seq_relationship(pooled),
        }


class PreTrainingHeads(nn.Module):
    """Both pre-training heads."""

    def __init__(self, config: Architecture):
        super().__init__()
        self.predictions = WordsHead(config)
        self.seq_relationship = nn.Linear(config.hidden_size, 2)


class WordsHead(nn.Module):
    """Vocabulary logits. MobileBERT's word embeddings are narrower than its stream; `dense` has the other columns."""

    def __init__(self, config: Architecture):
        super().__init__()
        width, vocabulary = config.hidden_size, config.vocab_size
        size = config.embedding_size if config.model_type == "mobilebert" else width
        self.transform = Transform(config)
        self.dense = nn.Linear(vocabulary, width - size, bias=False) if config.model_type == "mobilebert" else None
        self.decoder = nn.Linear(size, vocabulary)
        self.bias = nn.Parameter(torch.zeros(vocabulary))

    def forward(self, stream: torch.Tensor) -> torch.Tensor:
        """`[…, hidden]` → `[…, vocabulary]`."""
        stream, words = self.transform(stream), self.decoder.weight
        if self.dense is not None:
            words = torch.cat([words, self.dense.weight.t()], dim=1)
        return functional.linear(stream, words, self.decoder.bias)


class Transform(nn.Module):
    """A linear layer, the activation, and LayerNorm regardless of the encoder's normalization."""

    def __init__(self, config: Architecture):
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.activation = activation(config)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, stream: torch.Tensor) -> torch.Tensor:
        """`[…, hidden]` → `[…, hidden]`."""
        return self.LayerNorm(self.activation(self.dense(stream)))
