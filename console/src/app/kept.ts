// What the web app keeps in this browser: IndexedDB holds keys that no script can read out, and the worker reads them, too.

const STORE = "kept";

/** Who this app is, as the directory told when it enrolled. */
export interface Enrolment {
  device: string;
  account: string;
  /** The key that the directory signs with, in hexadecimal. */
  directory: string;
}

/** What is kept, by its name. Of a call that waits, what woke us is kept under `wake:` and the name of its ticket. */
interface Things {
  key: CryptoKeyPair;
  certificate: RTCCertificate;
  enrolment: Enrolment;
  /** The directory's clock less ours, in milliseconds. */
  offset: number;
  language: string;
}

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("ringdown-app", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("nothing can be kept here"));
  });
}

async function run<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await opened();
  try {
    return await new Promise<T>((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error ?? new Error("nothing can be kept here"));
    });
  } finally {
    database.close();
  }
}

export function kept<Name extends keyof Things>(name: Name): Promise<Things[Name] | undefined> {
  return run("readonly", (store) => store.get(name) as IDBRequest<Things[Name] | undefined>);
}

export async function keep<Name extends keyof Things>(name: Name, value: Things[Name]): Promise<void> {
  await run("readwrite", (store) => store.put(value, name));
}

/** The app is none any more. */
export async function forgetAll(): Promise<void> {
  await run("readwrite", (store) => store.clear());
}

// ---- what woke us, from the worker to the page

const WAKE = "wake:";

export async function keepWake(ticket: string, text: string): Promise<void> {
  await run("readwrite", (store) => store.put(text, WAKE + ticket));
}

export async function dropWake(ticket: string): Promise<void> {
  await run("readwrite", (store) => store.delete(WAKE + ticket));
}

/** All that waits, each once: what is taken is kept no more. */
export function takeWakes(): Promise<string[]> {
  const all = IDBKeyRange.bound(WAKE, `${WAKE}\uffff`);
  // In one step: what comes between two would be lost, and two pages would take the same.
  return run("readwrite", (store) => {
    const texts = store.getAll(all) as IDBRequest<string[]>;
    store.delete(all);
    return texts;
  });
}
