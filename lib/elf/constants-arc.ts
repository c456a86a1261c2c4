/** Relocation types of the ARC ABI, under its names. */
export const R_ARC_NONE = 0;
export const R_ARC_8 = 1;
export const R_ARC_16 = 2;
export const R_ARC_24 = 3;
export const R_ARC_32 = 4;
/** Zephyr's name for 5, which binutils calls R_ARC_64. */
export const R_ARC_B26 = 5;
export const R_ARC_S21H_PCREL = 14;
export const R_ARC_S21W_PCREL = 15;
export const R_ARC_S25H_PCREL = 16;
export const R_ARC_S25W_PCREL = 17;
export const R_ARC_32_ME = 27;
export const R_ARC_32_PCREL = 49;
export const R_ARC_PC32 = 50;
export const R_ARC_GLOB_DAT = 54;
export const R_ARC_JMP_SLOT = 55;
export const R_ARC_RELATIVE = 56;
