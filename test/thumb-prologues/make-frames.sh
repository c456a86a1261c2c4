#!/bin/sh
# Makes frames.m4f-O2.elf, whose call-frame information is that of the directives in frames.S.
cd "$(dirname "$0")" && arm-none-eabi-as frames.S -o frames.m4f-O2.elf
