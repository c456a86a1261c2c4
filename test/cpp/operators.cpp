// What else classes have: operators, conversions, several bases, statics of their own type, pointers to members, names of templates.
#include <stdint.h>

extern "C" void printk(const char *format, ...);

#define NOINLINE __attribute__((noinline))

namespace bank {
struct Money {
  int cents;
  NOINLINE explicit Money(int c) : cents(c) {}
  Money operator-() const { return Money(-cents); }
  Money operator*(int n) const { return Money(cents * n); }
  Money &operator+=(const Money &o)
  {
    cents += o.cents;
    return *this;
  }
  Money &operator++()
  {
    ++cents;
    return *this;
  }
  int operator()(int a, int b) const { return cents * a + b; }
  explicit operator bool() const { return cents != 0; }
  operator long() const { return cents; }
};
NOINLINE Money operator+(const Money &a, const Money &b) { return Money(a.cents + b.cents); }
NOINLINE bool operator==(const Money &a, const Money &b) { return a.cents == b.cents; }
NOINLINE bool operator<(const Money &a, int b) { return a.cents < b; }
}

template <typename T> struct Box {
  T value{};
  static int made;
  T &operator*() { return value; }
  T *operator->() { return &value; }
  const T *operator->() const { return &value; }
  NOINLINE void set(const T &v) { value = v; ++made; }
};
template <typename T> int Box<T>::made = 4;

template <typename T, unsigned N> struct Row {
  static constexpr int width = N;
  T items[N];
  T &operator[](unsigned i) { return items[i % N]; }
  NOINLINE T last() const
  {
    T found = items[N - 1];
    return found; // #LAST
  }
};

struct Node {
  int key;
  union {
    int count;
    char tag;
  };
  static Node root;
};
Node Node::root{1, {65}};

struct First {
  int one = 11;
  virtual int id() { return one; }
};
struct Second {
  static int shared;
  int two = 22;
  virtual int other() { return two; }
};
int Second::shared = 5;
struct Both : First, Second {
  int own = 33;
  int other() override
  {
    int result = own + shared;
    return result; // #OTHER
  }
};
struct Nothing : Second {
};

template <class F> NOINLINE static int each(F f)
{
  int sum = 0;
  for (int i = 0; i < 2; i++) sum += f(i); // #EACH
  return sum;
}

struct Runner {
  int base;
  template <class F> NOINLINE int run(F f) const
  {
    int found = f(base);
    return found; // #RUN
  }
};

static NOINLINE int use(Second &second) { return second.other(); }

int Node::*field = &Node::count;
int Node::*no_field;
int (Both::*method)() = &Both::id;
int (Both::*no_method)();
int (bank::Money::*plain)(int, int) const = &bank::Money::operator();
int (Both::*adjusted)() = &Both::other;
char16_t wide = u'A';
wchar_t text[4] = L"hi";
const char32_t *line = U"go\u00e9\n";

extern "C" int entry(int n)
{
  bank::Money a(150), b = a + bank::Money(50);
  b += -a * 2;
  Box<Box<short>> box;
  Row<bank::Money, 3> row{{a, b, bank::Money(7)}};
  Both both;
  Nothing nothing;
  Second *second = &both, *none = nullptr;
  auto scale = [&b, n](int by) { return b(by, n); };
  int total = each(scale) + use(both) + row.last().cents + (a == b) + (a < 5) + static_cast<int>(static_cast<long>(b));
  if (a) ++b;
  (*box).set(3);
  box->set(static_cast<short>(row[1].cents));
  total += none == nullptr ? second->two : 0;
  total += nothing.two + Node::root.*field + (both.*method)();
  total += Runner{4}.run([](int v) { return v * 2; }) + (b.*plain)(1, 2);
  printk("%d", total);
  return total; // #FINISH
}
