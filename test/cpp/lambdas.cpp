// What lambdas capture: by value, by reference, with names of their own, the object around them and a copy of it, one within another.
extern "C" void printk(const char *format, ...);

#define NOINLINE __attribute__((noinline))

int hidden = 1;

struct Machine {
  static int made;
  int speed;
  int limit;
  NOINLINE int drive(int by)
  {
    int step = by * 2, unused = by + 40;
    auto go = [this, &step](int more) {
      int now = speed + step + more;
      return now + limit; // #GO
    };
    int result = go(by);
    auto copy = [*this, step](auto x) mutable {
      step += limit;
      speed += x;
      return step + speed; // #COPY
    };
    return result + copy(2) + unused;
  }
};
int Machine::made = 3;

extern "C" int entry(int n)
{
  int count = n, wide = 7;
  short narrow = 3;
  auto add = [=, &count, twice = n * 2](int by) {
    auto inner = [&count, wide, narrow, by]() {
      count += wide;
      return count + by + narrow; // #INNER
    };
    int sum = inner() + twice + narrow;
    return sum; // #ADD
  };
  int total = add(5);
  {
    int hidden = n;
    auto generic = [step = total](const auto &x) {
      int hidden = step + static_cast<int>(x);
      return hidden; // #GENERIC
    };
    total += generic(2.5) + hidden;
  }
  Machine machine{10, 20};
  total += machine.drive(n);
  printk("%d", total);
  return total;
}
