// What calls find by more than a name: functions, operators and conversions that templates were made into, classes told by the object.
// The lists are expressions, one a line, with what the compiler makes of them.
extern "C" void printk(const char *format, ...);

#define NOINLINE __attribute__((noinline))

namespace geo {
template <typename T> struct Vec {
  T x, y;
  template <typename U> NOINLINE explicit operator U() const { return static_cast<U>(x * 10 + y); }
  template <typename U> NOINLINE U times(U by) const { return x * by; }
};
template <typename T> NOINLINE Vec<T> operator+(const Vec<T> &a, const Vec<T> &b) { return Vec<T>{a.x + b.x, a.y + b.y}; }
template <typename T, typename U> NOINLINE bool operator<(Vec<T> a, U b) { return a.x < b; }
template <typename T> NOINLINE int operator<<(const Vec<T> &a, int by) { return a.x << by; }
template <typename T> NOINLINE T length(const Vec<T> &a) { return a.x + a.y; }
}

template <typename T> NOINLINE T greater(T a, T b) { return a < b ? b : a; }
NOINLINE char greater(char a, char b) { return a < b ? b : a; }
template <typename To, typename From> NOINLINE To converted(From value) { return static_cast<To>(value); }
template <int N> NOINLINE int times(int value) { return value * N; }
template <typename T> NOINLINE int sizeOf(const T *) { return sizeof(T); }
template <typename... T> NOINLINE int sum(T... each) { return static_cast<int>((0 + ... + each)); }
template <template <typename> class C, typename T> NOINLINE T first(C<T> c) { return c.x; }

struct Shape {
  int id = 1;
  virtual int area() const { return 0; }
};
struct Named {
  int label = 2;
  virtual int name() const { return label; }
};
struct Square : Shape, Named {
  int side = 3;
  int area() const override { return side * side; }
};
struct Cube : Square {
  int depth = 4;
  int name() const override { return depth; }
};
struct Shared : virtual Shape {
  int own = 5;
  int area() const override { return own; }
};
struct Other {
  virtual int nothing() const { return 0; }
};
struct Plain {
  int number;
};

extern "C" int entry(int n)
{
  int total = n;
  short narrow = 3;
  geo::Vec<int> a{1, 2}, b{3, 4};
  geo::Vec<double> real{1.5, 2.5};
  const long long values[] = {
      (a + b).y, // #VALUES
      static_cast<long long>((real + real).x * 2),
      (a + b + a).x,
      geo::operator+<int>(a, b).x,
      geo::operator+(a, b).x + operator+(a, b).y,
      (a < 5) + (real < 1.0f) * 2,
      geo::operator< <int, int>(b, 3),
      (a << 3) + (b << n),
      static_cast<int>(a) + static_cast<int>(b),
      (int)b + (long)a,
      a.operator int() + b.operator long(),
      a.times(7) + static_cast<int>(b.times(2.5)),
      b.times<int>(2) + (int)a.times<double>(3.5),
      geo::length(a) + length(b),
      static_cast<int>(length(real)),
      greater(1, 2) + greater(n, 8),
      static_cast<int>(greater(1.5, 0.5) * 2),
      greater('a', 'b') + sizeof(greater('a', 'b')),
      greater<int>(1, 2.9),
      static_cast<int>(greater<double>(1, 2) * 3),
      greater(narrow, narrow) + sizeof(greater(narrow, narrow)),
      converted<short>(70000),
      converted<char>(2.5) + converted<char, double>(66.9),
      times<3>(5) + times<4>(n),
      sizeOf(&narrow) + sizeOf(&total) * 10 + sizeOf(&a) * 100,
      sum(1, 2L, 'c') + sum() + sum<int>(4),
      first(a) + static_cast<int>(first(real)),
      n < 5 > (0),
  };
  Square square;
  Cube cube;
  Shared shared;
  Plain plain{6};
  Shape *shape = &cube, *virtuals = &shared, *none = nullptr;
  Named *named = &square, *last = &cube;
  Shape &reference = square;
  Other other, *stranger = &other;
  total += shape->area() + virtuals->area() + named->name() + last->name() + reference.area() + stranger->nothing() + plain.number + (none != nullptr);
  printk("%d", total + static_cast<int>(values[n]));
  return total; // #FINISH
}
