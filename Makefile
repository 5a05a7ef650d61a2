# Persea's commands; `make` alone lists them. GNU make 3.81 (macOS) is enough.
#
# Everything is built in the release profile: the dependencies are built once for the program, the tests
# and the checks. `check`, `unit` and `dev` build the project's own crates incrementally beside it, so
# that an edit takes seconds; what is installed and measured is built without. Only crates/torch needs
# libtorch, and only `make torch` and what depends on it builds that.

PREFIX ?= $(HOME)/.local
DEMO ?= persea-demo
TORCH ?= 1
TESTS ?=
ROOM ?=
MODULE ?= $(ROOM)
TEST ?=
MINUTES ?= 10
SECONDS ?= 60

# TORCH=0 leaves the torch backend out, its loader included: no libtorch is fetched.
ifeq ($(TORCH),0)
FEATURES := --no-default-features
TORCH_LIBRARY :=
else
FEATURES :=
TORCH_LIBRARY := torch
endif

# SERVE=1 builds the server of `persea serve` in, and its page where web/dist has been built.
SERVE ?= 0
ifeq ($(SERVE),1)
FEATURES += --features serve
endif

.DEFAULT_GOAL := help
.PHONY: help demo test check unit dev build torch install uninstall bench lint clippy fmt docs book man deny python wheel torture fuzz web page clean

help: ## show this list
	@echo "Persea: an embedded database of the epigenome's learned representation"
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  TORCH=0 leaves the torch backend out. PREFIX=DIR is where to install."
	@echo "  SERVE=1 builds persea serve in, with the page that make web has built."
	@echo "  DEMO=DIR is where the demo writes. TESTS='--lib search::' chooses tests."
	@echo "  LIBTORCH=DIR uses a libtorch of your own (CUDA), PERSEA_CACHE=DIR another cache."

demo: build ## simulate a compendium, train, impute the missing experiments and score them
	cargo run --release $(FEATURES) --quiet -- demo --output "$(DEMO)"

test: $(TORCH_LIBRARY) ## run all tests
	scripts/with_references.sh cargo test --release $(FEATURES) $(TESTS)
ifneq ($(TORCH),0)
ifeq ($(TESTS),)
	scripts/with_libtorch.sh cargo test --release --package persea-torch
endif
endif

# The loop while editing. INCREMENTAL changes nothing about the dependencies.
INCREMENTAL := CARGO_PROFILE_RELEASE_INCREMENTAL=true

check: ## check that the code compiles (while editing)
	$(INCREMENTAL) cargo check --release $(FEATURES) --lib --bins

unit: ## run unit tests of MODULE=search or of a crate, MODULE=genome; TEST=name picks some
ifneq ($(wildcard crates/$(MODULE)/Cargo.toml),)
	$(INCREMENTAL) $(if $(filter torch,$(MODULE)),scripts/with_libtorch.sh) cargo test --release --package persea-$(MODULE) --lib $(TEST)
else
	$(INCREMENTAL) cargo test --release $(FEATURES) --package persea --lib -- $(if $(TEST),$(TEST),$(MODULE)::)
endif

dev: ## build the program incrementally (while editing)
	$(INCREMENTAL) cargo build --release $(FEATURES)

build: ## build the program, target/release/persea
	cargo build --release $(FEATURES)

torch: ## build the torch backend's library, target/release/libpersea_torch.so
	scripts/with_libtorch.sh cargo build --release --package persea-torch

install: build $(TORCH_LIBRARY) ## install the program and the torch backend in PREFIX (~/.local)
ifeq ($(TORCH),0)
	scripts/install.sh "$(PREFIX)"
else
	libtorch=$$(scripts/libtorch.sh) && scripts/install.sh "$(PREFIX)" "$$libtorch"
endif

uninstall: ## remove what install put into PREFIX
	rm -rf "$(DESTDIR)$(PREFIX)/bin/persea" "$(DESTDIR)$(PREFIX)/lib/persea"
	rm -f "$(DESTDIR)$(PREFIX)"/share/man/man1/persea.1 "$(DESTDIR)$(PREFIX)"/share/man/man1/persea-*.1 \
		"$(DESTDIR)$(PREFIX)/share/bash-completion/completions/persea" \
		"$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_persea" \
		"$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/persea.fish"

bench: $(TORCH_LIBRARY) ## measure speed, beside other programs if their Python is given
	scripts/with_references.sh cargo bench $(FEATURES) --bench persea

# Library code handles users' input and damaged files: it must not panic.
NO_PANIC := -D clippy::unwrap_used -D clippy::expect_used -D clippy::panic -D clippy::todo \
	-D clippy::unimplemented -D clippy::dbg_macro

lint: clippy deny ## check formatting, clippy, licences and the committed files
	cargo fmt --all --check
	scripts/check_tree.sh

clippy:
	cargo clippy --release $(FEATURES) --all-targets -- -D warnings
	cargo clippy --release $(FEATURES) --lib -- -D warnings $(NO_PANIC)
ifneq ($(TORCH),0)
	scripts/with_libtorch.sh cargo clippy --release --package persea-torch --all-targets -- -D warnings
	scripts/with_libtorch.sh cargo clippy --release --package persea-torch --lib -- -D warnings $(NO_PANIC)
endif
	cargo clippy --release --no-default-features --all-targets -- -D warnings

fmt: ## format the code
	cargo fmt --all

docs: ## build the documentation of the library and its crates, target/doc/persea
	RUSTDOCFLAGS="-D warnings" cargo doc --release --no-deps $(FEATURES)

book: build ## build the book, docs/book/index.html, and check it
	scripts/book.sh

man: build ## write the man pages, target/man
	"$$(scripts/target_folder.sh)/release/persea" man "$$(scripts/target_folder.sh)/man"

deny: ## check licences, sources and duplicates of the dependencies
	scripts/cargo_deny.sh --locked check --hide-inclusion-graph bans licenses sources

advisories: ## compare the dependencies with the RustSec database (needs a network)
	scripts/cargo_deny.sh --locked check --hide-inclusion-graph advisories

python: ## fetch the Python for cross-checks in tests (once) and print its path
	@scripts/python.sh

wheel: ## build the Python package's wheel, test it in a new environment, run the notebooks
	scripts/wheel.sh --test

torture: ## kill, damage and cut the power at random for MINUTES=10, and print the totals
	scripts/torture.sh "$(MINUTES)"

fuzz: ## run every fuzz target for SECONDS=60, and print executions and edges covered
	scripts/fuzz.sh "$(SECONDS)" text signal bigwig matrices suites database tables

web: web/dist/index.html ## build the page of persea serve, web/dist (needs Node.js)

# Only where something has changed: the program is compiled anew for a page that is.
web/dist/index.html: web/node_modules/.package-lock.json web/index.html web/tsconfig.json web/vite.config.ts \
		$(wildcard web/src/* web/src/views/*)
	cd web && npm run build

web/node_modules/.package-lock.json: web/package-lock.json web/package.json
	@command -v npm >/dev/null || { echo "make web: there is no npm; install Node.js 20 or later. Without the page, persea serve offers the API alone." >&2; exit 1; }
	cd web && npm ci
	@touch $@

page: web ## build the program with the page, and test both in a browser (needs Chromium)
	cargo build --release $(FEATURES) --features serve
	cd web && PERSEA="$$(../scripts/target_folder.sh)/release/persea" npm test

clean: ## remove what was built here; the cache is kept
	cargo clean
	rm -rf "$(DEMO)"
