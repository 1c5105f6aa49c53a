"""Programs of stock libraries that the tests run against the Hub, each in a process of its own."""

from tests.hub import User

CARD = """---
license: cc-by-4.0
language: [ko, sin]
configs:
- config_name: kor
  data_files: [{split: train, path: kor/train.parquet}]
  default: true
- config_name: sin
  data_files: [{split: train, path: sin/train.parquet}]
---
# Words
"""
ROWS = {"kor": [{"word": "버스", "n": 1}, {"word": "택시", "n": 2}], "sin": [{"word": "බස්", "n": 3}]}
TOKENS: dict[str, str | User] = {
    "hf_test": User("someone", {"lab": "write", "club": "read"}),
    "hf_reader": User("someone", {"lab": "write"}, role="read"),
    "hf_other": "another",
}

CLIENT = """
import json, sys
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, hf_hub_download, snapshot_download
api, arguments, out = HfApi(), sys.argv[1:], {}
"""
UPLOAD = """
out["url"] = str(api.create_repo("someone/words", repo_type="dataset"))
out["again"] = str(api.create_repo("someone/words", repo_type="dataset", exist_ok=True))
upload = lambda: api.upload_folder(repo_id="someone/words", repo_type="dataset", folder_path=arguments[0], commit_message="words").oid
out["commits"] = [upload(), upload()]
api.create_tag("someone/words", repo_type="dataset", tag="v1")
out["history"] = [commit.commit_id for commit in api.list_repo_commits("someone/words", repo_type="dataset")]
out["files"] = api.list_repo_files("someone/words", repo_type="dataset")
out["name"] = api.whoami()["name"]
"""
FAULTY = """
import time
from types import SimpleNamespace
from huggingface_hub.utils import _http
_http.time = SimpleNamespace(**{**vars(time), "sleep": lambda seconds: None})  # it waits a second before it sends a file again
api.create_repo("someone/words", repo_type="dataset", exist_ok=True)
out["outcomes"] = []
for _ in range(2):
    try:
        api.upload_folder(repo_id="someone/words", repo_type="dataset", folder_path=arguments[0], commit_message="words")
        out["outcomes"].append("done")
    except Exception as error:
        out["outcomes"].append(type(error).__name__)
"""
DOWNLOAD = """
from pathlib import Path
name = dict(repo_id="someone/words", repo_type="dataset")
paths = [hf_hub_download(**name, filename="kor/train.parquet") for _ in range(2)]
api.upload_file(**name, path_in_repo="notes.txt", path_or_fileobj=b"changed")
paths.append(hf_hub_download(**name, filename="kor/train.parquet"))
out["snapshots"] = len(set(paths))
out["blobs"] = len({Path(path).resolve() for path in paths})
read = lambda folder: {str(path.relative_to(folder)): path.read_bytes().hex() for path in sorted(Path(folder).rglob("*")) if path.is_file()}
out["tagged"] = read(snapshot_download(**name, revision="v1"))
out["notes"] = Path(hf_hub_download(**name, filename="notes.txt")).read_text()
out["exists"] = [api.file_exists(**name, filename=path) for path in ("README.md", "none.txt")]
out["missing"] = []
for action in (lambda: hf_hub_download(**name, filename="none.txt"), lambda: api.dataset_info("someone/words", revision="v9"),
               lambda: api.model_info("someone/none")):
    try:
        action()
    except Exception as error:
        out["missing"].append(type(error).__name__)
info = api.dataset_info("someone/words", revision="v1", files_metadata=True)
out["lfs"] = {one.rfilename: [one.size, one.lfs and one.lfs.sha256] for one in info.siblings}
out["tree"] = {one.path: type(one).__name__ for one in api.list_repo_tree(**name, recursive=True, revision="v1")}
out["paths"] = [one.path for one in api.get_paths_info(**name, paths=["kor", "README.md", "none"])]
"""
DATASET = """
from datasets import load_dataset
for config in ("kor", "sin"):
    out[config] = load_dataset("someone/words", config, split="train").to_list()
    out[config + " streamed"] = list(load_dataset("someone/words", config, split="train", streaming=True))
out["v1"] = load_dataset("someone/words", revision="v1", split="train").to_list()
"""
MODEL = """
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoModelForTokenClassification, AutoTokenizer, PreTrainedTokenizerFast, RobertaConfig, RobertaForTokenClassification
words = Tokenizer(models.WordLevel({"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "b": 5}, unk_token="<unk>"))
words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
words.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>")
config = RobertaConfig(vocab_size=6, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, max_position_embeddings=20)
model = RobertaForTokenClassification(config).eval()
for part in (tokenizer, model):
    part.save_pretrained(arguments[0])
api.create_repo("someone/tagger", private=True)
api.upload_folder(repo_id="someone/tagger", folder_path=arguments[0])
api.create_tag("someone/tagger", tag="v1")
loaded = AutoModelForTokenClassification.from_pretrained("someone/tagger", revision="v1").eval()
spoken = AutoTokenizer.from_pretrained("someone/tagger")
ids = spoken("a b c", return_tensors="pt")
out["ids"] = ids["input_ids"][0].tolist()
with torch.inference_mode():
    out["same"] = torch.equal(model(**ids).logits, loaded(**ids).logits)
"""
WRONG_HASH = """
operation = CommitOperationAdd("kor/train.parquet", b"true bytes")
operation.upload_info.sha256 = bytes(32)
api.create_repo("someone/words", repo_type="dataset")
try:
    api.create_commit("someone/words", [operation], commit_message="wrong", repo_type="dataset")
except Exception as error:
    out["error"] = repr(error) + repr(error.__cause__)
"""
RIGHTS = """
actions = {
    "namespace": lambda: api.create_repo("another/words"),
    "club": lambda: api.create_repo("club/words"),
    "reader": lambda: api.create_repo("someone/words", token="hf_reader"),
    "unknown": lambda: api.create_repo("someone/words", token="hf_unknown"),
    "none": lambda: api.create_repo("someone/words", token=False),
    "whoami": lambda: api.whoami(token="hf_unknown"),
    "private": lambda: HfApi(token="hf_other").repo_info("lab/secret"),
}
api.create_repo("lab/secret", private=True)
for name, action in actions.items():
    try:
        action()
        out[name] = "done"
    except Exception as error:
        out[name] = f"{type(error).__name__} {error}"
"""
CHANGES = """
name = dict(repo_id="someone/space", repo_type="space")
api.create_repo(**name, space_sdk="gradio")
out["sdk"] = api.space_info("someone/space").sdk
api.create_branch(**name, branch="draft")
api.upload_file(**name, path_in_repo="app/one.py", path_or_fileobj=b"1", revision="draft")
api.create_commit(**name, operations=[CommitOperationDelete("app/"), CommitOperationAdd("two.py", b"2")], commit_message="swap", revision="draft")
out["draft"], out["main"] = (api.list_repo_files(**name, revision=revision) for revision in ("draft", "main"))
api.create_tag(**name, tag="v1", revision="draft")
api.create_tag(**name, tag="v2")
api.delete_tag(**name, tag="v2")
refs = api.list_repo_refs(**name)
out["refs"] = [[ref.name for ref in refs.branches], [ref.name for ref in refs.tags]]
api.delete_branch(**name, branch="draft")
out["tag"] = api.list_repo_files(**name, revision="v1")
api.update_repo_settings(**name, private=True)
out["private"] = api.repo_info(**name).private
collection = api.create_collection("Names on phonemes", description="all of it", exists_ok=True)
again = api.create_collection("Names on phonemes", exists_ok=True)
for _ in range(2):
    api.add_collection_item(again.slug, "someone/space", "space", note="the demo", exists_ok=True)
found = list(api.list_collections(owner="someone"))
out["collections"] = [[one.slug == collection.slug, [[item.item_id, item.note] for item in one.items]] for one in found]
api.delete_collection(collection.slug)
api.delete_repo(**name)
out["exists"] = [api.repo_exists(**name), len(list(api.list_collections(owner="someone")))]
"""
