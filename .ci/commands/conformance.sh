# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# `./run conformance`: docs/conformance.md from the lists in tests/conformance and the tags in the tests.

/usr/bin/python3 tests/conformance/conformance.py
