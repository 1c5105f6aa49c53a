from __future__ import annotations

import math

import pytest
import torch

from conlipa.modeling.encoder import new_encoder, plain_state_dict
from conlipa.modeling.recipe import Encoder, Ipac, Recipe
from conlipa.modeling.training.ipac import IpacModule, adapted, info_nce, pool, projection

SMALL = Recipe("small", Encoder(hidden_size=32, layers=2, heads=2, intermediate_size=64), ipac=Ipac(projection=16))


def by_the_equations(english: torch.Tensor, target: torch.Tensor, temperature: float) -> float:
    """Equations (1) and (2) of the second paper, with plain loops."""
    n = len(english)

    def one_way(anchors: torch.Tensor, others: torch.Tensor) -> float:
        total = 0.0
        for i in range(n):
            numerator = math.exp(float(anchors[i] @ others[i]) / temperature)
            denominator = sum(math.exp(float(anchors[i] @ others[k]) / temperature) for k in range(n))
            total += -math.log(numerator / denominator)
        return total / n

    return (one_way(english, target) + one_way(target, english)) / 2


@pytest.mark.parametrize(("pairs", "temperature"), [(1, 0.1), (5, 0.1), (5, 1.0), (17, 0.05)])
def test_info_nce_is_the_papers_equation(pairs: int, temperature: float) -> None:
    torch.manual_seed(pairs)
    english, target = (torch.nn.functional.normalize(torch.randn(pairs, 8), dim=-1) for _ in range(2))
    assert float(info_nce(english, target, temperature)) == pytest.approx(by_the_equations(english, target, temperature), abs=1e-5)


def test_info_nce_is_as_exact_within_autocast() -> None:
    english, target = (torch.nn.functional.normalize(torch.randn(16, 64), dim=-1) for _ in range(2))
    with torch.autocast("cpu", torch.bfloat16):
        within = info_nce(english, target, 0.05)
    assert torch.equal(within, info_nce(english, target, 0.05))


def test_masked_pairs_are_no_negatives() -> None:
    torch.manual_seed(0)
    english, target = torch.randn(3, 4), torch.randn(3, 4)
    others = torch.zeros(3, 3, dtype=torch.bool)
    others[0, 1] = others[1, 0] = True
    loss = info_nce(english, target, 1.0, others)
    logits = english @ target.T

    def row(scores: torch.Tensor, i: int, left_out: int | None) -> float:
        kept = [k for k in range(3) if k != left_out]
        return float(torch.logsumexp(scores[i, kept], 0) - scores[i, i])

    expected = sum(row(scores, i, {0: 1, 1: 0}.get(i)) for scores in (logits, logits.T) for i in range(3)) / 6
    assert float(loss) == pytest.approx(expected, abs=1e-5)


def test_mean_pooling_leaves_padding_out() -> None:
    hidden = torch.tensor([[[1.0, 1.0], [3.0, 5.0], [100.0, 100.0]]])
    assert pool(hidden, torch.tensor([[1, 1, 0]]), "mean").tolist() == [[2.0, 3.0]]
    assert pool(hidden, torch.tensor([[1, 1, 0]]), "first").tolist() == [[1.0, 1.0]]


def test_only_adapter_and_projection_learn() -> None:
    model = adapted(new_encoder(SMALL.encoder), SMALL.ipac)
    module = IpacModule(model, projection(SMALL), SMALL.ipac)
    trainable = [name for name, p in module.named_parameters() if p.requires_grad]
    assert all("lora_" in name or name.startswith("head.") for name in trainable)
    assert not any("classifier" in name for name in trainable)
    assert sum("lora_A" in name for name in trainable) == 2 * 6  # query, key, value and three dense a layer


def test_contrastive_training_pulls_pairs_together() -> None:
    torch.manual_seed(0)
    module = IpacModule(adapted(new_encoder(SMALL.encoder), SMALL.ipac), projection(SMALL), SMALL.ipac).train()
    ids = torch.randint(10, 60, (16, 8))
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "english": torch.arange(8)}
    optimizer = torch.optim.AdamW([p for p in module.parameters() if p.requires_grad], lr=3e-3)
    losses = []
    for _ in range(60):
        ((total, count),) = module(batch)
        loss = total / count
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert losses[-1] < losses[0] / 2


def test_the_articulatory_embedding_is_saved_as_a_plain_matrix() -> None:
    model = new_encoder(SMALL.encoder)
    state = plain_state_dict(model)
    assert not any("parametrizations" in name for name in state)
    assert torch.equal(state["roberta.embeddings.word_embeddings.weight"], model.roberta.embeddings.word_embeddings.weight)


def test_like_phonemes_start_with_like_embeddings() -> None:
    from conlipa.modeling.tokenizer import vocabulary

    torch.manual_seed(0)
    vectors = new_encoder(SMALL.encoder).roberta.embeddings.word_embeddings.parametrizations.weight[0].features
    ids = vocabulary()
    assert torch.dist(vectors[ids["p"]], vectors[ids["b"]]) < torch.dist(vectors[ids["p"]], vectors[ids["a"]])
    assert torch.dist(vectors[ids["tʃ"]], vectors[ids["dʒ"]]) < torch.dist(vectors[ids["tʃ"]], vectors[ids["m"]])


def test_words_that_share_their_english_side_are_positives_of_each_other() -> None:
    torch.manual_seed(0)
    english, target = torch.randn(3, 4), torch.randn(3, 4)
    same = torch.zeros(3, 3, dtype=torch.bool)
    same[0, 1] = same[1, 0] = True
    loss = info_nce(english, target, 1.0, same, positive=True)
    logits = english @ target.T
    positives = {0: (0, 1), 1: (0, 1), 2: (2,)}
    expected = 0.0
    for scores in (logits, logits.T):
        for i, those in positives.items():
            expected += sum(float(torch.logsumexp(scores[i], 0) - scores[i, k]) for k in those) / len(those) / 6
    assert float(loss) == pytest.approx(expected, abs=1e-5)
