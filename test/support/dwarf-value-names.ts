/** Names that llvm-dwarfdump prints in place of constants (DWARF 5, 7.8 to 7.19). */
const names = `
DW_ATE_address 1 DW_ATE_boolean 2 DW_ATE_complex_float 3 DW_ATE_float 4 DW_ATE_signed 5 DW_ATE_signed_char 6
DW_ATE_unsigned 7 DW_ATE_unsigned_char 8 DW_ATE_imaginary_float 9 DW_ATE_UTF 16
DW_ACCESS_public 1 DW_ACCESS_protected 2 DW_ACCESS_private 3
DW_VIRTUALITY_none 0 DW_VIRTUALITY_virtual 1 DW_VIRTUALITY_pure_virtual 2
DW_INL_not_inlined 0 DW_INL_inlined 1 DW_INL_declared_not_inlined 2 DW_INL_declared_inlined 3
DW_CC_normal 1 DW_CC_program 2 DW_CC_nocall 3 DW_CC_pass_by_reference 4 DW_CC_pass_by_value 5
DW_DEFAULTED_no 0 DW_DEFAULTED_in_class 1 DW_DEFAULTED_out_of_class 2
DW_LANG_C89 1 DW_LANG_C 2 DW_LANG_C_plus_plus 4 DW_LANG_C99 12 DW_LANG_C_plus_plus_03 25 DW_LANG_C_plus_plus_11 26
DW_LANG_C11 29 DW_LANG_C_plus_plus_14 33 DW_LANG_Mips_Assembler 32769
DW_ID_case_sensitive 0 DW_END_default 0 DW_END_big 1 DW_END_little 2
`;

export const valueNames: ReadonlyMap<string, number> = new Map(
  [...names.matchAll(/(DW_\w+) (\d+)/g)].map(([, name, value]) => [name, Number(value)]),
);
