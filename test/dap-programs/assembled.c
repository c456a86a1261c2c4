/* An assembler source beside one in C: of the functions there an assembler describes a name and a place (GNU as), or only a label (clang). */
#include <zephyr/llext/symbol.h>

extern int asm_sum(int a, int b);

int entry(int n)
{
	return asm_sum(n, 2) * 2; // #CALL
}
LL_EXTENSION_SYMBOL(entry);
