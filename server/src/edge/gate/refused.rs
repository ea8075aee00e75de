//! Why the gate lets a request not through.

use http::StatusCode;

/// What is wrong with what a client sends. The connection is closed after the answer: nobody can know where the next
/// request begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// RFC 9112 section 3.
    #[error("the request line must be a method, a target and HTTP/1.1, with one space between them")]
    RequestLine,
    /// RFC 9112 section 2.3.
    #[error("only HTTP/1.1 and HTTP/1.0 are spoken here")]
    Version,
    /// RFC 9112 section 3.2.1, and no `#`: a fragment is never sent.
    #[error("the request target has a character that must be escaped, or a #")]
    Target,
    /// Absolute form (RFC 9112 section 3.2.2) is for proxies, authority form for CONNECT, `*` for the server as a whole.
    #[error("only targets of the form /path?query are served")]
    TargetForm,
    /// RFC 9110 section 9.3.6.
    #[error("CONNECT is not served")]
    Connect,
    /// RFC 9110 section 15.5.15.
    #[error("the request target is too long")]
    TargetTooLong,
    /// RFC 6585 section 5.
    #[error("the request's head is too long")]
    HeadTooLong,
    /// RFC 6585 section 5.
    #[error("the request has too many header lines")]
    TooManyLines,
    /// RFC 9112 section 2.2.
    #[error("a line ends without CR LF")]
    BareLineFeed,
    /// RFC 9110 section 5.5.
    #[error("the request's head has a control character")]
    ControlCharacter,
    /// RFC 9112 section 5.2.
    #[error("a header line is folded")]
    Folded,
    /// RFC 9112 section 5.1.
    #[error("a header's name is empty, or has a space or another character that may not stand before the colon")]
    FieldName,
    /// RFC 9112 section 3.2.
    #[error("exactly one Host header is needed")]
    Host,
    /// RFC 9112 section 6.3.
    #[error("there are two Content-Length headers")]
    TwoLengths,
    /// RFC 9110 section 8.6.
    #[error("the Content-Length is no plain number")]
    Length,
    /// RFC 9112 section 6.1.
    #[error("only one Transfer-Encoding header, and no other coding than chunked, is understood here")]
    Coding,
    /// RFC 9112 section 6.1.
    #[error("there are both a Content-Length and a Transfer-Encoding")]
    LengthAndCoding,
    /// RFC 9112 section 6.1.
    #[error("HTTP/1.0 knows no Transfer-Encoding")]
    OldCoding,
    /// RFC 9113 section 3.1: taken out of HTTP/2.
    #[error("an upgrade to HTTP/2 in clear text is not served")]
    HttpUpgrade,
    /// RFC 6455 section 4.1: the client waits for the answer.
    #[error("bytes came behind the handshake before it was answered")]
    Early,
    /// RFC 9112 section 7.1.
    #[error("the body's chunks are malformed")]
    Chunk,
    /// RFC 9112 section 7.1.1.
    #[error("chunk extensions are not served")]
    ChunkExtension,
    /// RFC 9112 section 7.1.2.
    #[error("the body's trailer is malformed, or too long")]
    Trailer,
    /// RFC 9110 section 15.5.9.
    #[error("the request's head did not come in time")]
    HeadTimeout,
    /// RFC 9110 section 15.5.9.
    #[error("the request's body did not come in time")]
    BodyTimeout,
}

impl Refused {
    /// The status that the client gets.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::HeadTooLong | Self::TooManyLines => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::HeadTimeout | Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The problem's code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TargetTooLong => "target-too-long",
            Self::HeadTooLong | Self::TooManyLines => "head-too-long",
            Self::HeadTimeout | Self::BodyTimeout => "request-timeout",
            _ => "bad-framing",
        }
    }
}
