// SEARCH as a flat program in postfix order: no recursion to build, to walk or to free it.
// Invariant: evaluating from the left never finds the stack too short and ends with one value.

/// What the client searches (RFC 3501 §6.4.4): leaves, and operators on the results before them.
package struct SearchProgram: Hashable, Sendable {
    package enum Step: Hashable, Sendable {
        case leaf(SearchKey)
        case not
        /// Joins the last `count` results: all of them must hold.
        case and(count: Int)
        /// Joins the last two results.
        case or
    }

    package let steps: [Step]
    package static let maximumSteps = 1000
    package static let maximumDepth = 32

    package init(steps: [Step]) { self.steps = steps }
}

/// One condition of SEARCH, decided from what a session knows, or by the store.
package enum SearchKey: Hashable, Sendable {
    case all
    /// Has all of these system flags.
    case flags(SystemFlags)
    case keyword(Keyword)
    case sequence(SequenceSet)
    case uids(SequenceSet)
    case content(ContentKey)
}

/// A condition that may need the message itself: the store is asked when the session does not know.
package enum ContentKey: Hashable, Sendable {
    package enum Order: Hashable, Sendable { case before, on, since }

    case larger(Int)
    case smaller(Int)
    /// By the internal date, as a day, zones disregarded.
    case received(Order, CalendarDay)
    /// By the `Date:` field, as a day, zones disregarded.
    case sent(Order, CalendarDay)
    /// A header field of this name that contains the text; empty text: has the field.
    case header(name: [UInt8], text: [UInt8])
    /// The text parts contain it.
    case body([UInt8])
    /// Header or text parts contain it.
    case text([UInt8])
}
