# Every target sets up .venv by itself when it is missing or the requirements have changed.
PYTHON ?= python3
# Where the sentences come from, as `--corpus` has it; WIKIANN is its old name.
CORPUS ?= $(WIKIANN)
RUN = .venv/bin/
# Links into the package, for mypy and editors, which cannot know that conlipa.modeling is the folder modeling/.
ROOMS = dataset_scripts hub_cards modeling space
export HF_HUB_DISABLE_TELEMETRY = 1
export GRADIO_ANALYTICS_ENABLED = False

.PHONY: release test lint bench docs demo mini mini-en report mini-report clean

release: .venv/ready
	$(RUN)conlipa release --out release

# Two processes of one thread each: on two cores more threads wait for one another. The tests of a file share what they were made from.
test: .venv/ready
	OMP_NUM_THREADS=1 $(RUN)pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: .venv/ready
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy

bench: .venv/ready
	$(RUN)python -m tests.benchmarks

# The documentation site, in build/site; fails on a dead link.
docs: .venv/ready
	$(RUN)mkdocs build --strict --quiet

demo: .venv/ready
	$(RUN)conlipa demo

# The models that travel with the package, from WikiANN: make mini CORPUS=DIR:DIR, make mini-en CORPUS=DIR
# (eleven hours, and half an hour, on two cores; both resume where they were interrupted). Recipes that mini starts from are
# trained before it; MINUTES=60 trains it in one run of so many minutes instead. SET: any settings of a recipe.
# mini's corpus: titles=WIKIANN:titles=MORE:running=DIR. Only mini, the default, brings an ONNX file: the package stays small.
RELEASE = $(RUN)conlipa release --profile $@ --corpus $(CORPUS) --out runs/$@ $(if $(MINUTES),--minutes $(MINUTES),$(if $(filter mini,$@),--set ner.minutes=48)) $(addprefix --set ,$(SET))
PARTS = --model runs/$(1)/conlipa-$(1)-ner --adapter runs/$(1)/conlipa-$(1)-ipac
mini mini-en: .venv/ready
	$(RELEASE)
	$(RUN)python -m conlipa.modeling.inference.calibration $(call PARTS,$@) --corpus $(CORPUS)
	$(if $(filter mini,$@),$(RUN)conlipa export $(call PARTS,$@) --int8 --out runs/$@/conlipa-$@-ipac/model.onnx)
	$(RELEASE)
	rm -rf modeling/$@/ner modeling/$@/ipac && mkdir -p modeling/$@
	cp -r runs/$@/conlipa-$@-ner modeling/$@/ner
	cp -r runs/$@/conlipa-$@-ipac modeling/$@/ipac
	$(RELEASE)  # the Space's card says whether its model is the packaged one
	$(RUN)python -m conlipa.hub_cards.readme README.md docs/scores.md --release runs/$@

# Every table and figure of both papers: make report CORPUS=DIR:DIR (an hour or two on two cores; resumes where it was interrupted).
report: .venv/ready
	$(RUN)python -m conlipa.modeling.report $(if $(wildcard runs/mini/conlipa-mini-ipac),$(call PARTS,mini)) --corpus $(or $(CORPUS),sample) $(addprefix --set ,$(SET)) --jobs 2 --out runs/report

# The same as the documentation has it, and its tables in docs/scores.md.
mini-report: report
	$(RUN)python -m conlipa.hub_cards.readme docs/scores.md --report runs/report
	rm -rf docs/report && mkdir docs/report
	cp runs/report/*.md runs/report/*.svg runs/report/report.html docs/report

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(RUN)pip install -q --upgrade pip
	$(RUN)pip install -q -c constraints.txt -e ".[dev]"
	$(foreach room,$(ROOMS),ln -sfn ../../$(room) src/conlipa/$(room);)
	touch $@

clean:
	rm -rf .venv release build
