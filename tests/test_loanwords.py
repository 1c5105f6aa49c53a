"""The pairs of stage 2: even over languages, hard_negatives_of together, shuffled as a control."""

from __future__ import annotations

from collections import Counter

from conlipa.dataset_scripts.g2p.similarity import similarity
from conlipa.modeling.data.loanwords import Loanwords
from conlipa.modeling.recipe import Ipac

SMALL = Ipac(languages=("tam", "tur"), batch_size=32)


def test_all_pairs_of_the_paper_in_full_batches() -> None:
    made = Loanwords(Ipac())
    assert Counter(row["language"] for row in made.rows)["kor"] == 512
    assert all(len(batch) == 128 for batch in made.epoch(0))
    assert made.epoch(0) != made.epoch(1)
    assert made.epoch(0) == Loanwords(Ipac()).epoch(0)
    assert {row["language"] for row in Loanwords(SMALL).rows} == {"tam", "tur"}
    assert {"fin", "kor"} < {row["language"] for row in Loanwords(Ipac(extra=True)).rows}


def test_balanced_pairs_come_evenly_from_each_language() -> None:
    made = Loanwords(Ipac(korean_pairs=None, batch_size=1, balanced=True))
    drawn = Counter(made.rows[i]["language"] for batch in made.epoch(0) for i in batch)
    assert len(drawn) == 10
    assert max(drawn.values()) - min(drawn.values()) <= 1
    as_they_come = Loanwords(Ipac(korean_pairs=None, batch_size=1))
    drawn = Counter(as_they_come.rows[i]["language"] for batch in as_they_come.epoch(0) for i in batch)
    assert drawn["kor"] > 10 * drawn["tam"]


def test_hard_negatives_sound_alike_and_meet_in_a_batch() -> None:
    made = Loanwords(Ipac(languages=("tam", "tur", "hin", "swa"), batch_size=32, hard_negatives=1.0))
    ipa = [str(row["english_ipa"]) for row in made.rows]
    assert all(made.english_ids[i] != made.english_ids[j] for i, negatives in enumerate(made.hard_negatives_of) for j in negatives)

    def nearest_in_batch(batches: list[list[int]]) -> float:
        """How like its most alike companion of another English word a word is, on average."""
        best = [max(similarity(ipa[i], ipa[j]) for j in batch if made.english_ids[i] != made.english_ids[j]) for batch in batches for i in batch]
        return sum(best) / len(best)

    easy = Loanwords(Ipac(languages=("tam", "tur", "hin", "swa"), batch_size=32))
    assert nearest_in_batch(made.epoch(0)[:6]) > nearest_in_batch(easy.epoch(0)[:6]) + 0.05
    taken = [i for batch in made.epoch(0) for i in batch]
    assert len(taken) == len(set(taken))


def test_shuffled_pairs_keep_the_words_and_lose_the_meaning() -> None:
    true, control = Loanwords(SMALL), Loanwords(Ipac(languages=SMALL.languages, shuffled=True))
    assert [row["target"] for row in true.rows] == [row["target"] for row in control.rows]
    assert sorted(str(row["english"]) for row in true.rows) == sorted(str(row["english"]) for row in control.rows)
    kept = sum(a["english"] == b["english"] for a, b in zip(true.rows, control.rows, strict=True))
    assert kept < len(true.rows) / 20
