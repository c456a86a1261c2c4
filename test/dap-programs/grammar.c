/*
 * Expressions by the productions of C11 6.5. Each list holds expressions, one a line, under the section that they are of; its element is what the compiler
 * makes of the line. A session stopped behind the lists evaluates the text of the lines.
 */
#include <zephyr/kernel.h>
#include <zephyr/llext/symbol.h>
#include <stddef.h>

#pragma GCC diagnostic ignored "-Wunused-value"
#pragma GCC diagnostic ignored "-Wparentheses"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wint-in-bool-context"
#pragma GCC diagnostic ignored "-Wbool-compare"
#pragma GCC diagnostic ignored "-Woverride-init"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wmultichar"
#pragma GCC diagnostic ignored "-Wmissing-braces"
#pragma GCC diagnostic ignored "-Woverflow"

enum color { RED, GREEN = 5, BLUE };
typedef struct { short x, y; } point_t;
struct line { point_t from, to; unsigned kind : 3; int level : 5; };
union number { int whole; float real; unsigned char bytes[4]; };
struct nested {
	int head;
	union { int either; float or; };
	struct { char tag; point_t at[2]; } inner;
};
struct flexible { int count; int rest[]; };

static int integer = -7;
static unsigned natural = 3000000000u;
static long long wide = -5000000000ll;
static unsigned char byte = 200;
static signed char narrow = -56;
static short table[2][3] = {{1, 2, 3}, {4, 5, 6}};
static double real = 2.5;
static float single = 0.1f;
static _Bool truth = 1;
static enum color color = GREEN;
static struct line line = {{1, 2}, {3, 4}, 6, -9};
static struct line *pointer = &line;
static const char text[] = "text";
static union number number = {.real = 1.5f};
static float _Complex signal = 3.0f + 4.0fi;
static double _Complex exact = -1.5 + 0.25i;

static struct flexible *open_end;

static int twofold(int x) { return 2 * x; }
static int (*function)(int) = twofold;

/* Complex products without the helpers that care for infinities. */
__attribute__((optimize("cx-limited-range")))
int entry(int what)
{
	int room[what + 3];
	const long long values[] = {
		// 6.5.1 primary, 6.4.4 constants
		integer, // #VALUES
		(integer),
		0x1fUL + 017 + 0b101 + 10ll,
		'a' + '\n' + '\x41' + '\377' + L'b' + u'c' + U'\u00e9',
		'ab',
		sizeof("abc\0d") + sizeof(L"wide") + sizeof(u"ab"),
		"text"[2],
		GREEN,
		'\?' + '\e' + L'\x263a' + u'\u00e9' + sizeof("a" "bc"),
		(int)(0x1p4 + 0x.8p1) + 0b1010,
		// 6.5.1.1 generic
		_Generic(integer, int: 1, default: 2),
		_Generic(natural, int: 1, unsigned: 2),
		_Generic(byte, unsigned char: 3, char: 4, signed char: 5),
		_Generic('a', char: 1, int: 2),
		_Generic(1L, int: 1, long: 2, long long: 3),
		_Generic(text, char *: 1, const char *: 2, default: 3),
		_Generic(&line, void *: 1, struct line *: 2),
		_Generic(line.from, struct line: 1, point_t: 2),
		_Generic(single + real, float: 1, double: 2),
		_Generic(signal, float _Complex: 1, double _Complex: 2),
		_Generic(function, int (*)(int): 4, default: 5),
		_Generic(&table[0], short (*)[3]: 6, short *: 7),
		_Generic(real, float: &real, double: 8),
		_Generic(color, unsigned char: 1, unsigned: 2, int: 3, default: 4),
		_Generic(GREEN, unsigned char: 1, int: 2, default: 3),
		_Generic(truth ? (void *)&integer : &integer, void *: 1, default: 2),
		_Generic(truth ? &integer : (void *)0, int *: 1, default: 2),
		_Generic(!integer, int: 1, _Bool: 2),
		_Generic(line.kind + 0, int: 1, unsigned: 2),
		_Generic(1 ? wide : natural, long long: 1, unsigned: 2, default: 3),
		// 6.5.2.1 index
		table[1][2] + 1[table][0],
		(&table[0][0])[4],
		"abc"[1] + *"xyz" + L"wide"[2],
		*(int[]){6} + *(short[2]){[1] = 3},
		(*table)[5] + 1[*table],
		// 6.5.2.3 member
		line.to.x + pointer->to.y + (*pointer).from.y + (&line)->kind,
		line.level,
		number.bytes[3],
		// 6.5.2.4, 6.5.3.1 increment
		((struct line){.level = 3}).level,
		// 6.5.2.5 compound literal
		((point_t){1, 2}).y,
		((point_t){.y = 5}).x + ((point_t){.x = 5, 6}.y),
		((struct line){{1, 2}, {3, 4}, 5}).kind,
		((struct line){1, 2, 3, 4, 5, -6}).level,
		((struct line){.to = {7, 8}, 4, .from.y = 9}).from.y,
		((struct line){.from.x = 1, 2, 3}).to.x,
		((struct line){.to.y = 1, .kind = 15}).kind,
		((struct nested){1, {2}, {'c', {{3, 4}, {5, 6}}}}).inner.at[1].x,
		((struct nested){1, 2, 'c', 3, 4, 5, 6}).inner.at[1].y,
		((struct nested){.either = 8, 'd'}).inner.tag,
		((struct nested){.inner.at[1].y = 9}).inner.at[1].y,
		((struct nested){.inner = {.at = {[1] = {10, 11}}}}).inner.at[1].x,
		((int[]){1, 2, 3, [5] = 6, 7})[6],
		sizeof((int[]){1, 2, 3, [5] = 6, 7}),
		((int[2][2]){1, 2, 3, 4})[1][0],
		((int[2][2]){{1}, {3}})[1][1],
		((char[]){"abc"})[1] + sizeof((char[]){"abc"}),
		((char[3]){"abc"})[2],
		((union number){.bytes = {0, 0, 0xc0, 0x3f}}).real == 1.5f,
		((struct line){line.to, line.from}).from.x,
		(int){3.9},
		((const int *){&integer})[0],
		((short[]){70000, -1})[0],
		// 6.5.3.2 address and indirection
		*&integer,
		**table + *(*(table + 1) + 2),
		&table[1][2] - &table[0][0],
		(char *)&line.to - (char *)&line,
		(*function == function) + (&*function == twofold),
		// 6.5.3.3 unary
		-integer + +byte + ~narrow,
		!integer + !0 + !real + !pointer,
		-natural > 0,
		// 6.5.3.4 sizeof, alignof
		sizeof integer + sizeof(int) + sizeof(struct line) + sizeof table + sizeof line.to,
		sizeof room / sizeof room[0],
		sizeof(struct flexible),
		sizeof(char) + sizeof(int[3]) + sizeof(int *(*)[4]),
		sizeof(integer + wide) + sizeof(single + 1) + sizeof(truth + truth),
		_Alignof(struct line) + _Alignof(double) + _Alignof(point_t) + _Alignof(int[3]),
		__alignof__(wide),
		sizeof(GREEN) + sizeof(color) * 100,
		sizeof(size_t) + sizeof(uint64_t) + sizeof(+line.kind) + sizeof(-byte),
		offsetof(struct nested, inner.at[1].y) + __builtin_offsetof(struct line, to),
		((struct line *)((char *)&line.to - offsetof(struct line, to)))->from.x,
		// 6.5.4 cast
		(unsigned char)integer + (signed char)byte + (_Bool)0.5,
		(int)real + (int)-real,
		(long long)(float)16777217,
		(unsigned)single,
		(enum color)6,
		(long)(point_t *)&line == (long)&line,
		(_Bool)pointer + (_Bool)0.1 + (_Bool)(narrow + 56),
		(unsigned char)-1 >> 1,
		(short)natural + (int)wide,
		(unsigned long long)narrow >> 32,
		// 6.5.5 multiplicative
		integer / 2 * 3 % 4,
		wide / 3 % 1000,
		natural * 2u,
		// 6.5.6 additive
		integer + natural,
		integer - byte,
		(long long)(&table[1] - table),
		*(text + 1),
		// 6.5.7 shift
		integer >> 1,
		natural << 1,
		1ull << 40 >> 3,
		narrow << 2,
		(byte << 24) < 0,
		-1 >> 31,
		wide >> 33,
		// 6.5.8, 6.5.9 relational, equality
		integer < natural,
		(integer > 0) + (integer <= -7) * 2 + (real >= 2.5) * 4,
		(narrow == -56) + (byte != 200),
		pointer == &line,
		(-1 < 1u) + (-1ll < 1u) * 2 + (narrow < byte) * 4 + (wide < natural) * 8,
		(unsigned)-1 == -1,
		(float)16777217 == 16777216,
		// 6.5.10 to 6.5.12 bits
		(byte & 0x0f) | (integer ^ 5),
		// 6.5.13, 6.5.14 logic
		integer && 0 || pointer,
		0 && 1 / 0,
		// 6.5.15 conditional
		integer < 0 ? byte : wide,
		truth ? 1 : 2.5,
		integer ?: 4,
		integer ? natural ? 1 : 2 : 3,
		(truth ? pointer : 0)->level,
		(truth ? -1 : 1u) > 0,
		(truth ? line : *pointer).kind,
		// 6.5.17 comma
		(1, 2, integer),
		// conversions
		color + 1,
		line.kind - 7 < 0,
		-line.kind + ~line.kind + line.level * 2,
		(byte & 0xf0) >> 4 == 0xf,
		single == 0.1f,
		single == 0.1,
		(int)(real * 3) + (int)1e9f,
	};
	const double _Complex complexes[] = {
		// complex: 6.2.5, 6.3.1.6 to 6.3.1.8, annex G
		signal, // #COMPLEX
		exact + signal,
		exact - 2,
		exact * (2.0 - 1.0i),
		exact / (0.0 + 2.0i),
		exact / 0.5,
		-exact,
		~signal,
		2.0i * 3,
		signal * signal,
		(double _Complex)real,
		(float _Complex)exact,
		truth ? exact : 1.0,
		(double _Complex){1.5},
		((float _Complex[]){1.0f, 2.0fi})[1],
	};
	const long long parts[] = {
		// complex to real
		__real__ signal, // #PARTS
		__imag__ signal,
		__real__ exact * 4 + __imag__ exact * 16,
		__real__ integer + __imag__ integer,
		signal == 3.0f + 4.0fi,
		(exact != signal) + (exact == -1.5) * 2,
		(int)signal,
		(_Bool)(0.0 + 1.0i),
		sizeof(signal * 1.0) + sizeof(signal * 2) + sizeof(2.0fi),
		signal ? 1 : 2,
		!exact,
		exact && 1,
	};
	int total = (int)values[what] + (int)__real__ complexes[what] + (int)parts[what];

	room[0] = total; // #HERE
	return room[0] + integer + (int)natural + narrow + (int)single + color + function(1) + number.whole + (open_end != 0);
}
LL_EXTENSION_SYMBOL(entry);
