"""Run by a test: the gradient of one contrastive step over the whole batch, on however many processes.

contrastive_gradient.py RECIPE NER OUT
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from safetensors.torch import save_file

from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.recipe_file import read_recipe
from conlipa.modeling.training.ipac import IpacStage


def main(recipe_file: str, ner: str, out: str) -> None:
    accelerator = Accelerator(cpu=True)
    recipe = read_recipe(recipe_file)
    set_seed(0)
    stage = IpacStage(recipe, ner, Corpus("sample"), ["eng"])
    module = accelerator.prepare(stage.module.eval())  # without dropout, whose draws differ with the number of processes
    indices = stage.batches(0)[0][accelerator.process_index :: accelerator.num_processes]
    terms = module(stage.collate(indices))
    loss = sum(total / accelerator.reduce(count.clone(), "sum") for total, count in terms) * accelerator.num_processes
    accelerator.backward(loss)
    if accelerator.is_main_process:
        own = accelerator.unwrap_model(module)
        save_file({name: p.grad.clone() for name, p in own.named_parameters() if isinstance(p.grad, torch.Tensor)}, Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
