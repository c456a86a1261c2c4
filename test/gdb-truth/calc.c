/* calc: an expression tree evaluated by tables of functions, tail calls, doubles, nested structures and VLAs */
#include "ext.h"

enum kind { NUM, ADD, MUL, NEG, SEL, KINDS };

struct node {
	enum kind kind;
	union {
		double num;
		struct { struct node *left, *right; };
		struct { struct node *cond, *yes, *no; } sel;
	};
};

typedef double (*eval_fn)(const struct node *, int depth);
static double eval(const struct node *n, int depth);
static int calls[KINDS];
static struct node nodes[12];
static int made;

static struct node *make(enum kind kind, struct node *l, struct node *r)
{
	struct node *n = nodes + made++;

	n->kind = kind;
	n->left = l;
	n->right = r;
	return n;
}

static struct node *num(double v)
{
	struct node *n = make(NUM, 0, 0);

	n->num = v;
	return n;
}

static double eval_num(const struct node *n, int depth) { (void)depth; return n->num; }

static double eval_add(const struct node *n, int depth)
{
	double a = eval(n->left, depth + 1);
	double b = eval(n->right, depth + 1);

	return a + b;
}

static double eval_mul(const struct node *n, int depth)
{
	return eval(n->left, depth + 1) * eval(n->right, depth + 1);
}

static double eval_neg(const struct node *n, int depth)
{
	return -eval(n->left, depth + 1);
}

static double eval_sel(const struct node *n, int depth)
{
	const struct node *taken = eval(n->sel.cond, depth + 1) > 0.5 ? n->sel.yes : n->sel.no;

	return eval(taken, depth);
}

static const eval_fn table[KINDS] = { eval_num, eval_add, eval_mul, eval_neg, eval_sel };

static NOINLINE double eval(const struct node *n, int depth)
{
	calls[n->kind]++;
	if (depth > 8)
		return 0;
	return table[n->kind](n, depth);
}

struct matrix { int rows, cols; short at[3][2]; };

static FLAT short *cell(struct matrix *m, int r, int c)
{
	if (r >= m->rows || c >= m->cols)
		return 0;
	return &m->at[r][c];
}

static FLAT int trace_of(struct matrix *m)
{
	int sum = 0;

	for (int r = 0; r < m->rows; r++) {
		short *at = cell(m, r, r);

		if (!at)
			break;
		sum += *at;
	}
	return sum;
}

static NOINLINE int hash(const void *data, int size)
{
	const u8 *bytes = data;
	u32 h = 2166136261u;

	for (int i = 0; i < size; i++) {
		h ^= bytes[i];
		h *= 16777619u;
	}
	return (int)(h >> 16);
}

static NOINLINE int classify(int c)
{
	switch (c) {
	case '+': case '-':
		return 1;
	case '*': case '/': case '%':
		return 2;
	case '0': case '1': case '2': case '3': case '4':
	case '5': case '6': case '7': case '8': case '9':
		return 10 + (c - '0');
	case ' ':
		return 0;
	default:
		return -c;
	}
}

static NOINLINE int scan(const char *text)
{
	int depth = 0, best = 0, total = 0;

	for (; *text; text++) {
		int c = classify(*text);

		if (c >= 10) {
			total = total * 10 + (c - 10);
			continue;
		}
		if (c > 0)
			depth += c;
		else if (c < 0)
			goto bad;
		if (depth > best)
			best = depth;
	}
	return total + best;
bad:
	return -(int)*text;
}

static int gcd(int a, int b) { return b ? gcd(b, a % b) : a; }
static NOINLINE int even(int n);
static NOINLINE int odd(int n) { return n == 0 ? 0 : even(n - 1); }
static NOINLINE int even(int n) { return n == 0 ? 1 : odd(n - 1); }

static NOINLINE s64 mix(s64 a, u8 b, short c, double d)
{
	s64 wide = a << 20;
	float f = (float)d / 3;
	int flags = b > 4 ? -1 : 1;

	wide += (s64)(d * 100) + c * flags;
	return f > 1 ? wide : -wide;
}

int entry(int arg)
{
	struct node *tree = make(ADD, make(MUL, num(2.5), num(arg)), make(NEG, num(0.75), 0));
	struct node *sel = make(SEL, num(1), tree);

	sel->sel.no = num(-1);
	double value = eval(sel, 0);
	struct matrix m = { 3, 2, { { 1, 2 }, { 3, 4 }, { 5, 6 } } };
	int total = trace_of(&m);
	short *last = cell(&m, 2, 1);

	total += last ? *last : 0;
	total += hash(&m, sizeof(m)) & 0xff;
	total += scan("1 + 2*37") + scan("x");
	total += gcd(84, 18 + arg) + even(5);
	s64 mixed = mix(total, (u8)arg, -3, value);
	printk("calc %d %d %d", (int)value, total, (int)mixed);
	return total + (int)value + (int)mixed;
}
EXPORT_SYMBOL(entry);
