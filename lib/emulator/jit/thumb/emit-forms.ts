/** What the tables of Thumb emitters are made of. */
import type { OperationName } from '../../arm/operations';
import type { ThumbEmitter } from './thumb-emitter';

export type Emit = (e: ThumbEmitter, operands: readonly number[]) => void;
export type EmitTable = Partial<Record<OperationName, Emit>>;

/** The result on the stack becomes Rd, and N and Z are set. */
export function toResult(e: ThumbEmitter, d: number): void {
  e.setResult();
  e.get_local(e.result);
  e.set(d);
}

export const setResult =
  (value: (e: ThumbEmitter, o: readonly number[]) => void): Emit =>
  (e, o) => {
    value(e, o);
    toResult(e, o[0]);
  };

export const setPlain =
  (value: (e: ThumbEmitter, o: readonly number[]) => void): Emit =>
  (e, o) => {
    value(e, o);
    e.set(o[0]);
  };
