/* Globals of every kind of type, to compare how they are shown with gdb. Built by record.py. */
typedef unsigned char u8;
typedef unsigned int u32;
enum color { RED, GREEN = 5, BLUE, NONE = -1 };
enum mask { M_A = 1, M_B = 2, M_C = 4 };
enum multi { F_LOW = 3, F_X = 4, F_Y = 8 };
enum odd { O_A = 5, O_B = 8 };
enum zero { Z0 = 0, Z1 = 1, Z2 = 2 };
enum color e1 = BLUE, e2 = (enum color)77, e3 = NONE;
enum mask m0 = 0, m1 = M_A, m5 = 5, m9 = 9, m8 = 8;
enum multi u1 = 3, u2 = 7, u3 = 1, u5 = 16;
enum odd o1 = 5, o2 = 13, o3 = 1;
enum zero z0 = 0, z3 = 3, z4=4;
_Bool b0 = 0, b1 = 1; 
char c = 'A', cn = -1, cq = '\'', cd='"', cz = 0, cnl='\n', ce=27, cb='\\', c7=127;
signed char sc = -5; unsigned char uc = 200; u8 u8v = 10;
char ch_a='\a', ch_v='\v', ch_t='\t';
short s = -3; unsigned short us = 65535; int i = -7; unsigned u = 4000000000u; long l = -9; unsigned long ul = 3; long long ll = -5000000000ll; unsigned long long ull = 18446744073709551615ull;
float f = 3.0f, f1 = 0.1f, fbig = 1e20f, fneg=-2.5f; double d = 0.1, d1 = 1e100, dn = 3.0; long double ld = 2.5L;
float finf = __builtin_inff(), fnan = __builtin_nanf(""); double dninf = -__builtin_inf(); double dnan=__builtin_nan("0x123"); float fnn = -__builtin_nanf("");
float fden = 1e-40f; double dsmall = 5e-324; double dmax = 1.7976931348623157e308;
_Complex float cf = 1.0f + 2.0fi; _Complex double cdb = 1.5 - 2.5i;
char str[8] = "tagged"; char zeros[4]; char full[3] = {'a','b','c'}; char one[1]; char esc[] = "a\"b\\c\n\001\377'2"; char oct[]="\0012";
u8 ubuf[4] = {1,2,3,0}; signed char sbuf[3] = {-1,0,1};
char longstr[300]; char *plong = longstr;
int bigarr[150]; int nested[30][10]; int empty_arr[0];
struct { u8 len; int items[]; } flex = { 3, {1,2,3} };
struct { u8 len; char text[]; } flexc = { 3, "abc" };
struct empty {} emp; struct { struct empty e; int x; } hasemp;
const char *pstr = "hello\tworld"; const char *pnull = 0; char *pbad = (char *)1;
int *pi = &i; int *pinull; void *pv = &i; void *pself = &pself; struct box *pinc = (struct box *)0x1234;
int fn(int a, char *b) { return a; }
int (*pf)(int, char*) = fn; int (*pfnull)(int); int (*pfodd)(int) = (int(*)(int))0x41424344;
void *pfv = (void*)fn;
union { int i; char c[4]; struct { short x, y; } p; int (*fn)(int); } un = { 0x41424344 };
struct { unsigned a:1; signed b:5; unsigned :3; unsigned k:7; _Bool on:1; enum color t:8; unsigned long long w:37; } bf = { 1, -7, 100, 1, GREEN, 0x1122334455ull };
struct node { struct node *next; int v; } n2, n1 = { &n2, 5 };
int m2[2][3] = {{1,2,3},{4,5,6}}; char words[2][4] = {"ab", "cd"}; const char *names[] = {"zero", "one", 0};
int same[12] = {5,5,5,5,5,5,5,5,5,5,5,5};
volatile int vi = 4; const volatile u32 cvu = 8; int *const cpi = &i; int *volatile *ppi;
struct deep { struct { struct { int x; } b; int arr[2]; } a; int *p; } deep = { { { 1 }, {2,3} }, &i };
unsigned int wide[3] = {1,2,3}; __WCHAR_TYPE__ wstr[] = L"wi\u00e4de"; __CHAR16_TYPE__ s16[] = u"sixteen"; __CHAR32_TYPE__ s32c[]=U"32"; __WCHAR_TYPE__ wc = L'x';
_Bool boolbad; unsigned char *boolp = (unsigned char*)&boolbad;
int (*parr)[3] = m2; int (*fnarr[2])(int, char*) = { fn, 0 };
u32 (*complicated(int x))[3] { return 0; }
int _start(void) { longstr[0] = 1; return s16[0] + wc + fn(1, 0) + (int)(long)complicated; }
