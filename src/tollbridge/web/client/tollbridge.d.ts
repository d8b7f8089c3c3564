/** Payments from a web page. See docs/how-to/web-payments.md. */

/** The feature URI of the Webinos Payment API. */
export const PAYMENT: "http://webinos.org/api/payment";

/** An amount in units of the currency: "25.96", "-14.99". Numbers are read as they are written. */
export type Amount = string | number;

export interface ShoppingItem {
  productID?: string;
  description?: string;
  /** Three letters, as in ISO 4217. */
  currency?: string;
  /** The price of one; negative where the customer gets money back. */
  itemPrice?: Amount;
  itemCount?: number;
  itemsPrice?: Amount;
  [more: string]: unknown;
}

export type PaymentErrors =
  | "payment_charge_failed"
  | "payment_chargeable_exceeded"
  | "payment_authentication_failed";

/** The dictionary of the specification. */
export interface PaymentError {
  readonly code: PaymentErrors;
  readonly message: string;
  readonly retryPossible: boolean;
}

/** Why a payment failed; every member is the error's own and survives JSON. */
export class PaymentFailure extends Error implements PaymentError {
  constructor(
    told?: { code?: PaymentErrors; message?: string; retryPossible?: boolean; reason?: string | null },
    paymentId?: string | null,
  );
  readonly code: PaymentErrors;
  readonly message: string;
  readonly retryPossible: boolean;
  /** Finer than the code: "cancelled", "outcome_unknown", ... */
  readonly reason: string | null;
  /** Which payment; good for zone.resume() where the outcome is unknown. */
  readonly paymentId: string | null;
}

export type PaymentChallengeType = "text" | "image" | "url";

/** A question of the provider. */
export interface Challenge {
  readonly id: string;
  readonly type: PaymentChallengeType;
  /** The question, the picture's address, or the page's address. */
  readonly value: string;
  /** What stands for the picture. */
  readonly altText: string | null;
  /** What the picture asks, in words. */
  readonly question: string | null;
  readonly input: "digits" | "text" | null;
  readonly attemptsLeft: number | null;
  readonly expiresAt: Date | null;
  /** Aborted when the challenge is closed. */
  readonly signal: AbortSignal;
  /** Answer it, once; null means that the customer does not want to. */
  answer(response: string | null): Promise<void>;
  cancel(): Promise<void>;
  /** Show the built-in dialog; settles when the challenge is closed. */
  open(): Promise<void>;
}

/** The third argument of a challenge callback: bound to that very challenge. */
export interface Answer {
  (response: string | null): void;
  open(): void;
  cancel(): void;
}

export type PaymentSuccessCB = (proofOfPurchase: string) => void;
export type PaymentErrorCB = (error: PaymentFailure) => void;
export type PaymentChallengeCB = (
  challengeType: PaymentChallengeType,
  challenge: string,
  answer: Answer,
) => void;

/** How a page of the provider may be shown, tried in this order. */
export type Presentation = "inline" | "popup" | "redirect" | "payment-handler";

export interface Following {
  /** Asks the customer; what it gives (or its promise gives) is the answer. */
  onChallenge?: (challenge: Challenge) => unknown;
  presentation?: readonly Presentation[];
  /** Cancels the payment; without effect once money may move. */
  signal?: AbortSignal;
}

export interface PaymentRequestOptions extends Following {
  /** What is paid; a text is a bill that the shop's server signed. */
  bill?: ShoppingItem | string;
  /** A bill that the shop's server signed; what else is told must be the same. */
  signedBill?: string;
  items?: readonly ShoppingItem[] | null;
  customerID?: string | null;
  sellerID: string;
  /** One for each purchase; made and kept for you if left out. */
  idempotencyKey?: string;
  /** The kinds this page can show; all if left out. */
  challenges?: readonly PaymentChallengeType[];
}

export interface PaymentResult {
  proofOfPurchase: string;
  paymentId: string;
  status: "paid" | "refunded";
}

/** A payment service, found through discovery. */
export interface PaymentService {
  state: { bound?: boolean };
  readonly api: string;
  readonly id: string;
  readonly displayName: string;
  readonly description: string;
  readonly icon: string;
  readonly serviceAddress: string;
  readonly capabilities: {
    challenges?: PaymentChallengeType[];
    refunds?: boolean;
    currencies?: string[];
  };
  bindService(callbacks: { onBind?: (service: PaymentService) => void }): void;
  unbindService(): void;
  pay(options: PaymentRequestOptions): Promise<PaymentResult>;
  pay(
    successCallback: PaymentSuccessCB,
    errorCallback: PaymentErrorCB,
    challengeCallback: PaymentChallengeCB,
    itemList: readonly ShoppingItem[] | null | undefined,
    bill: ShoppingItem | string,
    customerID: string | null,
    sellerID: string,
  ): void;
  /** Answer the latest open challenge of this object's payments. */
  answerChallenge(response: string | null): void;
}

export interface PendingOperation {
  cancel(): void;
}

/** A payment this tab began and whose outcome it does not know. */
export interface PendingPayment {
  /** null where the provider's first answer never came. */
  paymentId: string | null;
  idempotencyKey: string;
  /** What is paid; null where nobody can tell. */
  bill: ShoppingItem | null;
  sellerID: string;
  since: Date;
}

export interface Zone {
  services(options?: {
    api?: string;
    signal?: AbortSignal;
  }): Promise<PaymentService[]> & AsyncIterable<PaymentService>;
  findServices(
    serviceType: { api: string },
    callbacks: {
      onFound: (service: PaymentService) => void;
      onLost?: (service: PaymentService) => void;
      onError?: (error: DOMException) => void;
    },
    /** In seconds. */
    options?: { timeout?: number } | null,
    filter?: unknown,
  ): PendingOperation;
  pending(): PendingPayment[];
  resume(id: string, options?: Following): Promise<PaymentResult>;
}

export interface ConnectOptions {
  /** The provider's address; where this file comes from if left out. */
  base?: string;
  /** The seller's publishable key. */
  sellerKey: string;
  presentation?: readonly Presentation[];
  /** For how many seconds an outcome may stay unknown; 60. */
  patience?: number;
  /** The dialogs' texts, any of them. */
  words?: Record<string, string>;
  /** The language of `words`. */
  lang?: string;
}

export function connect(options: ConnectOptions): Zone;
