// The one table from what can go wrong with the store to what the client is told.

import IMAPProtocol
import Kernel
import Mailbox

extension StoreError {
    var refusal: Refusal {
        switch self {
        case .folderMissing: .nonexistent
        case .folderExists: .alreadyExists
        case .nameRefused: .cannot
        case .messageMissing: .expungeIssued
        case .keywordsFull, .numbersExhausted: .limit
        case .kernel(let error) where error.isQuotaExceeded: .overQuota
        case .kernel, .storeMissing, .accountMissing, .damaged: .unavailable
        }
    }

    /// Whether the operator should hear of it: the rest is between the client and its mailboxes.
    var isTrouble: Bool {
        switch self {
        case .kernel, .storeMissing, .accountMissing, .damaged, .numbersExhausted: true
        case .folderMissing, .folderExists, .nameRefused, .messageMissing, .keywordsFull: false
        }
    }
}

extension KernelError {
    /// EDQUOT is 122 on Linux.
    fileprivate var isQuotaExceeded: Bool { code == 122 }
}
