/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the firmware of this example exports to extensions, beside Zephyr's own interface.
 */
#ifndef EXAMPLE_FIRMWARE_API_H
#define EXAMPLE_FIRMWARE_API_H

struct firmware_settings {
	int gain;
	int offset;
	char name[8];
};

extern struct firmware_settings firmware_settings;
extern unsigned int firmware_samples;

/* value * gain + offset, at most 1000. */
int firmware_scale(int value);
int firmware_look_up(unsigned int index);
/* Prints a line. */
void firmware_report(const char *what, int value);
/* Reads a peripheral. */
int firmware_sample_adc(void);
float firmware_ratio(float part, float whole);

#endif
