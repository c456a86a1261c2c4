/** 'build/hello_ext_debug.elf' -> 'hello': what llext_load would be asked to call a file; not cut to 15 characters. */
export function extensionNameOf(file: string): string {
  const base = file.replace(/^.*[\\/]/, '');
  const stem = base.replace(/(?<=.)\.(llext|elf|so|o|obj)$/i, '');
  const name = stem.replace(/(_ext_debug|_ext|_debug)$/, '');
  return name === '' ? stem : name;
}
