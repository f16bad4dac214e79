/* SPDX-License-Identifier: MIT */
#pragma once

/* One program has one name space: exporting only checks that the symbol is declared. */
#define EXPORT_SYMBOL(symbol) extern __typeof__(symbol) symbol
#define EXPORT_SYMBOL_GPL(symbol) EXPORT_SYMBOL(symbol)
