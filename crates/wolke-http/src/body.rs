//! A body made of a few pieces that are known from the start.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The pieces that are still to be sent; empty ones are skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pieces {
    pieces: [Bytes; 3],
    next: usize,
}

impl Pieces {
    /// The body that is these three after each other.
    #[must_use]
    pub const fn new(pieces: [Bytes; 3]) -> Self {
        Self { pieces, next: 0 }
    }

    fn rest(&self) -> &[Bytes] {
        self.pieces.get(self.next..).unwrap_or_default()
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let skipped = self.rest().iter().take_while(|piece| piece.is_empty()).count();
        self.next += skipped;
        let at = self.next;
        let piece = self.pieces.get_mut(at).map(std::mem::take);
        self.next += 1;
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest().iter().all(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest().iter().map(|piece| piece.len() as u64).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::Pieces;
    use bytes::Bytes;
    use http_body::Body as _;
    use http_body_util::BodyExt as _;

    #[tokio::test]
    async fn sends_what_is_there() {
        let pieces = |texts: [&'static str; 3]| Pieces::new(texts.map(|text| Bytes::from_static(text.as_bytes())));
        for texts in [["a", "bc", "d"], ["", "x", ""], ["", "", ""], ["a", "", ""]] {
            let body = pieces(texts);
            let whole: String = texts.concat();
            assert_eq!(body.size_hint().exact(), Some(whole.len() as u64));
            assert_eq!(body.is_end_stream(), whole.is_empty());
            assert_eq!(body.collect().await.unwrap().to_bytes(), whole.as_bytes());
        }
    }
}
