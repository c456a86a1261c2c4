#!/usr/bin/env bash
# Installs what the tests compare against and run in, where it is missing: compilers, QEMU, gdb, Unicorn, a browser.
# The product itself needs none of it. For Debian 12 and relatives; wants root.
set -euo pipefail

# What must exist : the package that has it.
wanted=(
  chromium:chromium
  arm-none-eabi-gcc:gcc-arm-none-eabi
  arm-none-eabi-objdump:binutils-arm-none-eabi
  clang-14:clang-14
  as:binutils
  ld.lld-14:lld-14
  riscv64-unknown-elf-ld:binutils-riscv64-unknown-elf
  aarch64-linux-gnu-ld:binutils-aarch64-linux-gnu
  arc-linux-gnu-ld:binutils-arc-linux-gnu
  xtensa-lx106-elf-ld:binutils-xtensa-lx106
  or1k-elf-ld:binutils-or1k-elf
  llvm-dwarfdump-14:llvm-14
  qemu-system-arm:qemu-system-arm
  qemu-riscv32:qemu-user
  qemu-system-riscv32:qemu-system-misc
  riscv64-unknown-elf-gcc:gcc-riscv64-unknown-elf
  gdb-multiarch:gdb-multiarch
  git:git
  lcov:lcov
  dwz:dwz
  # For the native modules of the VS Code that tests run in.
  make:make
  g++:g++
  python3:python3
)
packages=()
for entry in "${wanted[@]}"; do
  command -v "${entry%%:*}" >/dev/null || packages+=("${entry##*:}")
done
[ -d /usr/lib/arm-none-eabi/newlib ] || packages+=(libnewlib-arm-none-eabi)
ls /usr/lib/*/libunicorn.so.2 >/dev/null 2>&1 || packages+=(libunicorn2)

[ ${#packages[@]} -eq 0 ] && exit 0
echo "Installing: ${packages[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -y -q --no-install-recommends "${packages[@]}"
