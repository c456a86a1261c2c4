/** The one thread that a client sees: the emulated CPU. */
export const threadId = 1;
