/* Included twice, with another STEP each time. */
#define FROM_HEADER(x) ((x) + STEP)
#define SHADOWED 1
