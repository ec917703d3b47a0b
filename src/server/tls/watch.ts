import type { Clock, Timer } from "#core/clock";
import type { TlsIdentity, TlsSource } from "./identity.ts";

export interface WatchOptions {
  readonly source: TlsSource;
  /** What is used now. */
  readonly current: TlsIdentity;
  readonly clock: Clock;
  readonly onChange: (identity: TlsIdentity) => void;
  /** Told once why what is there now is not taken up; the former certificate stays. */
  readonly onRefused: (error: unknown) => void;
}

/** Looks for another certificate from time to time. @returns what ends it */
export function watchIdentity(options: WatchOptions): () => void {
  const { source, clock, onChange, onRefused } = options;
  let { current } = options;
  let told = "";
  let ended = false;
  let timer: Timer;
  const look = async (): Promise<void> => {
    try {
      const found = await source.load();
      told = "";
      if (ended || (found.certificate === current.certificate && found.privateKey === current.privateKey))
        return;
      onChange(found);
      current = found;
    } catch (error) {
      const message = String(error);
      if (!ended && message !== told) onRefused(error);
      told = message;
    }
  };
  const wait = (): void => {
    timer = clock.after(source.lookEveryMs, () => void look().then(() => ended || wait()));
  };
  wait();
  return () => {
    ended = true;
    timer.cancel();
  };
}
