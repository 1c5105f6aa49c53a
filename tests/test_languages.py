from __future__ import annotations

import pytest

from conlipa.dataset_scripts.languages import by_case, language, languages
from conlipa.errors import UsageError

CASES = {
    "1": "sin som mri quy uig aii kin ilo",
    "2": "epo khm tuk amh mlt ori san ina grn bel kur snd",
    "3": "tgk yor mar jav urd msa ceb hrv mal tel uzb pan kir",
    "conlipa": "swa ind hin cmn ara vie tha tam tur kor",
    "source": "eng",
}


@pytest.mark.parametrize("case", CASES)
def test_the_papers_cases_are_in_the_table(case: str) -> None:
    assert by_case(case) == CASES[case].split()


def test_every_language_has_an_engine_and_a_script() -> None:
    assert len(languages()) >= 44
    for row in languages().values():
        assert row.engines, row.iso
        assert len(row.script) == 4
        assert len(row.iso) == 3


def test_a_branch_lies_in_one_family() -> None:
    table = languages().values()
    assert len({(row.branch, row.family) for row in table}) == len({row.branch for row in table})
    split = {row.family for row in table if row.branch != row.family}
    assert split == {"Indo-European", "Afro-Asiatic", "Atlantic-Congo", "Austroasiatic", "Uralic"}
    assert not [row.iso for row in table if row.family in split and row.branch == row.family]
    assert {language(iso).branch for iso in ("hin", "urd", "sin", "san")} == {"Indo-Aryan"}


@pytest.mark.parametrize(("given", "iso"), [("sin", "sin"), ("Sinhala", "sin"), ("si", "sin"), ("zh", "cmn"), ("turkmen", "tuk")])
def test_names_and_wikiann_codes_find_the_row(given: str, iso: str) -> None:
    assert language(given).iso == iso


def test_an_unknown_language_is_told_its_nearest() -> None:
    with pytest.raises(UsageError, match=r"unknown language 'turkmem'; did you mean tuk \(Turkmen\)"):
        language("turkmem")
