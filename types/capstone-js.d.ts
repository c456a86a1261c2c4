/** @alexaltea/capstone-js comes without types: its one export makes the module from the bytes of capstone.wasm. */
declare module '@alexaltea/capstone-js' {
  const factory: import('../lib/disassembler').CapstoneFactory;
  export = factory;
}
