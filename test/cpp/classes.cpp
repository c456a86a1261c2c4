// What a sketch in C++ is made of: classes, bases, references, namespaces, overloads, templates, lambdas, statics.
#include <stdint.h>

extern "C" void printk(const char *format, ...);

extern "C" void __cxa_pure_virtual()
{
  for (;;) {
  }
}

#define NOINLINE __attribute__((noinline))

namespace motion {

enum class Axis : uint8_t { X, Y = 4, Z };
enum Speed { SLOW, FAST = 9 };

struct Point {
  int x;
  int y;
  int sum() const { return x + y; }
};

class Shape {
public:
  explicit Shape(int id) : id_(id) { ++count; }
  virtual int area() const = 0;
  NOINLINE int scaled(int factor) const;
  static int count;
  static constexpr int limit = 12;

protected:
  int id_;
};

int Shape::count = 2;

int Shape::scaled(int factor) const
{
  int base = area();
  return base * factor + id_; // #SCALED
}

class Square : public Shape {
public:
  Square(int id, int side) : Shape(id), side_(side), axis_(Axis::Y), corner_{side, -side} {}
  NOINLINE int area() const override
  {
    int result = side_ * side_;
    return result; // #AREA
  }
  Point &corner() { return corner_; }

private:
  int side_;
  Axis axis_;
  Point corner_;
};

inline namespace v2 {
struct Pair {
  int first;
  double second;
};
}

namespace {
NOINLINE int hidden(int value)
{
  volatile int local = value + 1;
  return local; // #HIDDEN
}
}

NOINLINE int convert(int value) { return hidden(value); }
NOINLINE int convert(double value)
{
  int whole = static_cast<int>(value);
  return whole; // #DOUBLE
}

template <typename T, int N> class Ring {
public:
  NOINLINE T push(T value)
  {
    T old = items_[next_];
    items_[next_] = value;
    next_ = (next_ + 1) % N;
    return old; // #PUSH
  }

private:
  T items_[N];
  int next_;
};

} // namespace motion

using namespace motion;

static Ring<short, 3> ring;
static Speed speed = FAST;
int Point::*member = &Point::y;
int (*function)(int) = &motion::convert;
static Pair pair{7, 0.5};
Point origin{3, 4};
Point &alias = origin;
const char *text = "classes";

template <typename T> NOINLINE T largest(const T &a, const T &b)
{
  const T &result = a < b ? b : a;
  return result; // #LARGEST
}

extern "C" int entry(int n)
{
  Square square(n, 5);
  int &reference = n;
  Point &corner = square.corner();
  auto add = [&reference, &corner](int value) {
    int sum = value + reference + corner.x;
    return sum; // #LAMBDA
  };
  int total = square.scaled(2);
  total += ring.push(11) + ring.push(12);
  total += convert(total) + convert(pair.second * 4);
  total += add(1) + function(3);
  total += largest<int>(total, 8) + corner.*member;
  reference = total;
  speed = SLOW;
  return total; // #END
}
