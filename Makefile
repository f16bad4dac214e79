# SPDX-License-Identifier: MIT
# Names for the everyday commands. Each does the set-up that it needs first.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules
SHELL := /bin/bash

JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
TRACES ?= $(sort $(wildcard traces/*.kmt.zst))

# Each is built and its tests are run by `make test`, in one run of CTest; a failing unit test of the
# last one shows after the results of the cheap ones.
TEST_PRESETS := freestanding-x86_64 freestanding-i386 tsan asan release-test debug

.PHONY: help run test build bench lint install freestanding $(TEST_PRESETS:%=built-%)
.PHONY: built-release built-bench

help: ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

run: built-release ## replay the bundled traces and print the tables
	build/release/bin/quarry replay $(TRACES)

test: build/.setup-test build/CTestTestfile.cmake $(TEST_PRESETS:%=built-%) ## build and run every test
	ctest --test-dir build --output-on-failure --parallel $(JOBS)

build: built-release ## release build of library and tool, in build/release

bench: build/.setup-bench built-bench ## measure against other allocators
	cmake --build build/bench --target run_bench

lint: build/.setup-lint build/debug/build.ninja ## formatting, clang-tidy, rooms, globals, sizes
	cmake --build build/debug --parallel $(JOBS) --target quarry_core
	tests/lint/all build/debug

install: built-release ## install library, headers, package files and tool under PREFIX
	cmake --install build/release --prefix $(abspath $(PREFIX))

freestanding: built-freestanding-x86_64 built-freestanding-i386 ## compile the core for bare metal

# A stamp keeps a second run from asking the package system again.
build/.setup-%: .ci/packages.txt .ci/setup
	@mkdir -p build
	.ci/setup $(patsubst build,,$*) build
	@touch $@

build/CTestTestfile.cmake: Makefile
	@mkdir -p build
	@printf 'subdirs(%s)\n' $(TEST_PRESETS) > $@

build/%/build.ninja: | build/.setup-build
	cmake --preset $*

$(TEST_PRESETS:%=built-%) built-release built-bench: built-%: build/%/build.ninja
	@cmake --build build/$* --parallel $(JOBS)
