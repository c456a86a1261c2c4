#!/bin/sh
# Builds forms.S: without floats, relaxable; and with doubles, where the assembler resolves its own branches.
set -e
cd "$(dirname "$0")"
riscv64-unknown-elf-gcc -c -march=rv32imac_zicsr -mabi=ilp32 -mrelax forms.S -o forms.rv32.elf
riscv64-unknown-elf-gcc -c -march=rv64imafdc_zicsr -mabi=lp64d -mno-relax forms.S -o forms.rv64.elf
