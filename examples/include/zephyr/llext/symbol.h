/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What an extension needs to export a symbol. Each export is a {name, address} pair in the section `.exported_sym`;
 * the loader reads the pairs after relocation and builds the extension's export table from them.
 * An extension that uses these names compiles unchanged in a Zephyr tree.
 */
#ifndef EXAMPLES_ZEPHYR_LLEXT_SYMBOL_H
#define EXAMPLES_ZEPHYR_LLEXT_SYMBOL_H

struct llext_const_symbol {
	const char *const name;
	const void *const addr;
};

/* Exports `symbol` under another name. */
#define LL_EXTENSION_SYMBOL_NAMED(symbol, as)                                                                          \
	static const struct llext_const_symbol __attribute__((section(".exported_sym"), used)) __llext_sym_##as = {    \
		#as, (const void *)&symbol}

#define LL_EXTENSION_SYMBOL(symbol) LL_EXTENSION_SYMBOL_NAMED(symbol, symbol)

/* In an extension, the base image's macro exports from the extension. */
#define EXPORT_SYMBOL(symbol) LL_EXTENSION_SYMBOL(symbol)

#endif
