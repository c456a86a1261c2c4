/** The package has no types of its own; what is used of it is described in disassembler.ts. */
declare module '@alexaltea/capstone-js' {
  const factory: import('./disassembler').CapstoneFactory;
  export = factory;
}
