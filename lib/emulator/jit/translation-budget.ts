/**
 * How much may be translated. Translating takes time that only pays when the code runs on, and most when the translator
 * itself is new to the JavaScript engine; so time spent on it has to be earned by what was executed before. Counted in
 * instructions, not in milliseconds: two runs of the same program translate the same.
 */

/** Interpreted instructions before the first translation: programs that are done by then have none. */
export const firstTranslation = 250_000;
/** Translating an instruction takes about as long as interpreting so many, with both cold and with both warm. */
export const instructionCost = 512;
/** Of translated code so many instructions are as one of the interpreter. */
const translatedPerInterpreted = 16;

export class TranslationBudget {
  private earned = 0;
  private spent = 0;

  /** `unlimited`: everything may be translated at once. */
  constructor(private readonly unlimited: boolean) {}

  earnInterpreted(instructions: number): void {
    this.earned += instructions;
  }

  earnTranslated(instructions: number): void {
    this.earned += instructions / translatedPerInterpreted;
  }

  /** So many instructions may be translated now. */
  get available(): number {
    if (this.unlimited) return Infinity;
    if (this.earned < firstTranslation) return 0;
    return Math.floor((this.earned - this.spent) / instructionCost);
  }

  /** One function may be translated for more than is available: then there is less the next time. */
  spend(instructions: number): void {
    this.spent += instructions * instructionCost;
  }
}
