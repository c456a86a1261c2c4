/*
 * Arrays of variable length: types that an expression names, and objects in functions that are inlined. The list is as those of grammar.c.
 */
#include <zephyr/kernel.h>
#include <zephyr/llext/symbol.h>

/* clang 14 takes a length that it does not know for 0 */
#pragma GCC diagnostic ignored "-Wpointer-arith"

static int numbers[24];

static inline __attribute__((always_inline)) int copied(int n, int seed)
{
	int vla[n];
	short rows[n][seed];

	for (int i = 0; i < n; i++) {
		vla[i] = seed * i;
		rows[i][0] = (short)i;
	}
	__asm__ volatile("" : : "r"(vla), "r"(rows) : "memory");
	return vla[n - 1] + rows[1][0]; // #INLINED
}

static __attribute__((noinline)) int spread(int n, int rows, int *p)
{
	int local[n];
	short grid[rows][n + 1];

	local[0] = n;
	grid[1][0] = 7;
	const long long lengths[] = {
		sizeof(int[n]), // #LENGTHS
		sizeof(int[rows][n]),
		sizeof(int (*)[n]),
		sizeof(*(int (*)[n + 2])p),
		sizeof(local) + sizeof grid + sizeof grid[0] * 100,
		sizeof(__typeof__(grid)),
		sizeof(int[n == 4 ? rows : 2]),
		sizeof(int *(*(*)[2 + 1])[n]) + sizeof(int (*[2 + 1])[n]),
		((int (*)[n])p)[1][0],
		(*(int (*)[n])p)[1],
		((int (*)[rows][n])p)[0][1][2],
		((int (*)[rows][n])p)[1][0][1],
		(int (*)[n])p + 1 == (void *)(p + n),
		(int *)((int (*)[n])p + 2) - p,
		(short (*)[n + 1])&grid[1] - grid,
		&((int (*)[n])p)[3] - (int (*)[n])p,
		(char *)(&local + 1) - (char *)&local,
		_Alignof(int[n]) + _Alignof(short[rows][n]),
		sizeof(*&grid[0]) + sizeof(*(grid + 1)),
		((int[2 + 1]){[1 + 1] = 5})[2],
	};

	numbers[0] = (int)lengths[n] + local[0] + grid[1][0]; // #LISTED
	return numbers[0];
}

int entry(int n)
{
	for (int i = 0; i < 24; i++) {
		numbers[i] = 100 + i;
	}
	return spread(n, 3, numbers) + copied(n, 2);
}
LL_EXTENSION_SYMBOL(entry);
