"""IB-BERT, the paper's teacher: wide layers on a narrow stream, which query, key and value read directly."""

from training.config import Student


def large() -> Student:
    """The paper's IB-BERT-LARGE."""
    return Student(
        family="ib-bert",
        num_hidden_layers=24,
        hidden_size=512,
        embedding_size=128,
        intra_bottleneck_size=1024,
        num_attention_heads=4,
        intermediate_size=4096,
        num_feedforward_networks=1,
        normalization_type="layer_norm",
        hidden_act="gelu",
        key_query_shared_bottleneck=False,
    )
