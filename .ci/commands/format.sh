# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# `./run format`

packages_need clang-format-14
find app lib tests -name '*.[ch]' -exec clang-format-14 -i {} +
