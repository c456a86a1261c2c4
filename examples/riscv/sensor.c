/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A temperature sensor with a filter chain: structs, unions, bit-fields, enums and function pointers to look at in
 * the Variables view and by hovering. Watch `channel.status`, `channel.history`, `*filter`.
 */
#include <zephyr/kernel.h>
#include <zephyr/llext/symbol.h>

enum quality {
	QUALITY_UNKNOWN,
	QUALITY_GOOD,
	QUALITY_NOISY,
	QUALITY_BROKEN = -1,
};

enum option {
	OPTION_SMOOTH = 1,
	OPTION_CLAMP = 2,
	OPTION_REPORT = 4,
};

/* One reading as the wire delivers it. */
union reading {
	uint32_t word;
	struct {
		int16_t centi_degrees;
		uint8_t humidity;
		uint8_t checksum;
	} fields;
	uint8_t bytes[4];
};

struct status {
	unsigned int ready: 1;
	unsigned int alarms: 5;
	signed int drift: 6;
	enum quality quality: 4;
};

typedef struct channel channel_t;
typedef int (*filter_fn)(channel_t *channel, int value);

struct filter {
	const char *name;
	filter_fn apply;
};

struct channel {
	char label[8];
	struct status status;
	enum option options;
	int16_t history[4];
	uint8_t next;
	const struct filter *last_filter;
	int64_t sum;
};

static int smooth(channel_t *channel, int value)
{
	int sum = value;

	for (unsigned int i = 0; i < ARRAY_SIZE(channel->history); i++) {
		sum += channel->history[i]; // #BP1
	}
	channel->history[channel->next] = (int16_t)value;
	channel->next = (channel->next + 1) % ARRAY_SIZE(channel->history);
	return sum / (int)(ARRAY_SIZE(channel->history) + 1);
}

static int clamp(channel_t *channel, int value)
{
	const int limit = 3000;

	if (value > limit) {
		channel->status.alarms++; // #BP2
		value = limit;
	}
	return value;
}

static const struct filter filters[] = {
	{"smooth", smooth},
	{"clamp", clamp},
};

static channel_t channel = {
	.label = "outside",
	.status = {.drift = -3, .quality = QUALITY_UNKNOWN},
	.options = OPTION_SMOOTH | OPTION_REPORT,
	.history = {1200, 1210, 1190, 1205},
};

static const uint32_t recorded[] = {0x3c2804d8, 0x412904f6, 0x00280bd6, 0x77300ed8, 0x422a1002};

static int process(union reading reading)
{
	int value = reading.fields.centi_degrees;

	for (unsigned int i = 0; i < ARRAY_SIZE(filters); i++) {
		const struct filter *filter = &filters[i];

		value = filter->apply(&channel, value); // #BP3
		channel.last_filter = filter;
	}
	channel.sum += value;
	channel.status.ready = 1;
	channel.status.quality = channel.status.alarms > 1 ? QUALITY_NOISY : QUALITY_GOOD;
	return value; // #BP4
}

int entry(void)
{
	int highest = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(recorded); i++) {
		union reading reading = {.word = recorded[i]};
		int value = process(reading);

		if (value > highest) {
			highest = value;
		}
		printk("%s: %d.%02d degrees, %u %% humidity\n", channel.label, value / 100, value % 100,
		       reading.fields.humidity);
	}
	return highest; // #BP5
}
LL_EXTENSION_SYMBOL(entry);
