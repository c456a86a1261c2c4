/* Variable-length arrays: of one and two dimensions, and as a parameter. Built by record.py. */
struct symbol { const char *name; void *address; };

static volatile int sink;

__attribute__((noinline)) static int corner(int n, short grid[n][n + 1])
{
	int last = n - 1;

	sink = grid[last][n]; // #BP1
	return grid[last][n];
}

__attribute__((noinline)) static int fill(int n)
{
	int line[n]; // #BP2
	short grid[n][n + 1];

	for (int i = 0; i < n; i++) {
		line[i] = i * i;
		for (int j = 0; j <= n; j++)
			grid[i][j] = i * 10 + j;
	}
	sink = line[n - 1];
	return line[n - 1] + corner(n, grid); // #BP3
}

int entry(int n)
{
	return fill(n);
}
struct symbol entry_symbol __attribute__((section(".exported_sym"), used)) = { "entry", (void *)&entry };
