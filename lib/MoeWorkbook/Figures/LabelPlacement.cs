namespace MoeWorkbook;

/// <summary>Finds room for the labels of a scatter plot, so that none covers another or a point.</summary>
internal static class LabelPlacement
{
    private const double CharacterWidth = 7, LineHeight = 15, PointRadius = 6;

    /// <summary>Where each label's middle goes, relative to its point and in pixels (x to the right, y down); null where no room is near, so that the point
    /// stays bare.</summary>
    /// <param name="points">All points in pixels; the first ones are the ones with labels.</param>
    /// <param name="labels">Their labels; an earlier one takes the room first.</param>
    /// <param name="others">Texts that are there already: their middle in pixels, and what they say.</param>
    /// <param name="width">Width of the plot in pixels.</param>
    /// <param name="height">Height of the plot in pixels.</param>
    public static (double X, double Y)?[] Place(IReadOnlyList<(double X, double Y)> points, IReadOnlyList<string> labels,
        IEnumerable<(double X, double Y, string Text)> others, double width, double height)
    {
        var fixedBoxes = points.Select(p => new Box(p.X - PointRadius, p.Y - PointRadius, p.X + PointRadius, p.Y + PointRadius))
            .Concat(others.Select(o => Box.Around(o.X, o.Y, o.Text.Length * CharacterWidth, LineHeight))).ToList();
        var area = new Box(0, 0, width, height);
        var places = new (double X, double Y)?[labels.Count];
        // First come, first served; then twice more, since room has become free where a neighbour found a better place.
        for (var pass = 0; pass < 3; pass++)
        {
            for (var i = 0; i < labels.Count; i++)
            {
                places[i] = null;
                var taken = fixedBoxes.Concat(Enumerable.Range(0, labels.Count).Where(j => places[j] is not null).Select(j => At(j, places[j]!.Value)))
                    .ToList();
                places[i] = Offsets(labels[i].Length * CharacterWidth / 2).Select(o => ((double, double)?)o)
                    .FirstOrDefault(offset => At(i, offset!.Value) is var box && area.Contains(box) && !taken.Any(box.Overlaps));
            }
        }
        return places;

        Box At(int i, (double X, double Y) offset) => Box.Around(points[i].X + offset.X, points[i].Y + offset.Y, labels[i].Length * CharacterWidth, LineHeight);
    }

    // Beside, above and below the point first, then further and further out.
    private static IEnumerable<(double X, double Y)> Offsets(double halfWidth)
    {
        foreach (var gap in (double[])[4, 10, 18, 28, 40])
        {
            double besides = PointRadius + gap + halfWidth, above = PointRadius + gap + LineHeight / 2;
            foreach (var offset in ((double, double)[])[(besides, 0), (-besides, 0), (0, -above), (0, above), (besides, -above), (-besides, -above),
                (besides, above), (-besides, above), (halfWidth, -above), (-halfWidth, -above), (halfWidth, above), (-halfWidth, above)])
                yield return offset;
        }
    }

    private readonly record struct Box(double Left, double Top, double Right, double Bottom)
    {
        public static Box Around(double x, double y, double width, double height) => new(x - width / 2, y - height / 2, x + width / 2, y + height / 2);

        public bool Overlaps(Box other) => Left < other.Right && other.Left < Right && Top < other.Bottom && other.Top < Bottom;

        public bool Contains(Box other) => Left <= other.Left && Right >= other.Right && Top <= other.Top && Bottom >= other.Bottom;
    }
}
