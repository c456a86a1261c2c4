/* virtual: bases that are shared, and the ways to them through the tables of virtual functions */
extern "C" int printk(const char *format, ...);

struct Counter {
  int count = 7;
  virtual int next() { return ++count; }
};

struct Left : virtual Counter {
  short left = 21;
  int next() override { return count += left; }
};

struct Right : virtual Counter {
  char right = 'r';
  virtual int side() { return right; }
};

struct Both : Left, Right {
  long own = -5;
  int next() override { return count += static_cast<int>(own); } // #NEXT
};

struct Holder {
  int tag = 3;
  Both both;
  Left lone;
};

static Counter *shared;

static __attribute__((noinline)) int use(Right &right, Left *left) {
  int sum = right.count + left->left; // #USE
  return sum + right.side() + left->next();
}

extern "C" int entry(int arg) {
  Both local;
  Holder holder;
  shared = &holder.both;
  local.own = arg;
  Right &alias = local;
  int total = use(local, &holder.lone) + use(holder.both, &local);
  total += shared->next();
  printk("virtual %d\n", total); // #END
  return total + alias.count;
}
