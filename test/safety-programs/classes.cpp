/* What C++ programs get wrong, by kind, and 0: all of it done right. new and delete are malloc and free, as in Zephyr's own runtime. */
#include <stddef.h>
#include <stdint.h>
#include <zephyr/llext/symbol.h>

extern "C" {
void *malloc(size_t size);
void free(void *ptr);
void printk(const char *format, ...);
int entry(int kind);
}

#define NOINLINE __attribute__((noinline))
#define ESCAPE(pointer) __asm__ volatile("" : : "r"(pointer) : "memory")

void *operator new(size_t size) { return malloc(size); } // #NEW
void *operator new[](size_t size) { return malloc(size); } // #NEW_ARRAY
NOINLINE void operator delete(void *ptr) noexcept
{
	free(ptr); // #DELETE
	__asm__ volatile("" : : : "memory");
}
void operator delete(void *ptr, size_t) noexcept { operator delete(ptr); }
void operator delete[](void *ptr) noexcept { operator delete(ptr); }
void operator delete[](void *ptr, size_t) noexcept { operator delete(ptr); }

static volatile int alarms;

class Sensor {
public:
	explicit Sensor(int kind) : kind_(kind) {}
	virtual ~Sensor() {}
	virtual int read() const { return kind_; }
	NOINLINE bool isHot() const
	{
		if (limit_ > 30) alarms = 1; // #MEMBER
		return alarms != 0;
	}
	NOINLINE void setLimit(int limit) { limit_ = limit; }

private:
	int kind_;
	int limit_;
};

class Thermometer : public Sensor {
public:
	explicit Thermometer(int offset) : Sensor(2), offset_(offset) {}
	int read() const override { return Sensor::read() + offset_; }

private:
	int offset_;
};

static NOINLINE Sensor *make(int kind)
{
	Sensor *sensor = kind == 0 ? new Sensor(1) : new Thermometer(kind);

	ESCAPE(sensor);
	return sensor;
}

static NOINLINE int readOf(const Sensor *sensor)
{
	return sensor->read(); // #VIRTUAL
}

static NOINLINE int fill(int *values, int count)
{
	for (int i = 0; i < count; i++) {
		values[i] = i; // #ELEMENT
	}
	return values[count - 1];
}

int entry(int kind)
{
	Sensor *sensor = make(kind);
	int *values = new int[5];
	int sum = fill(values, kind == 2 ? 6 : 5);

	if (kind != 3) {
		sensor->setLimit(20 + kind);
	}
	if (kind == 1) {
		delete sensor;
	}
	sum += readOf(sensor) + (sensor->isHot() ? 100 : 0);
	delete[] values;
	if (kind != 1) {
		delete sensor;
	}
	printk("%d\n", sum);
	return sum;
}

LL_EXTENSION_SYMBOL(entry);
